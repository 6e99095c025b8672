/* The facts of a run's provenance.json, and what each is about. */
#ifndef AUTODIDACT_STORE_PROVENANCE_H
#define AUTODIDACT_STORE_PROVENANCE_H

/* Facts of these kinds decide bits. X(kind, the word of resume.allow that lets one differ). */
#define AD_FACT_KIND_MAP(X)               \
  X(AD_FACT_CONFIGURATION, configuration) \
  X(AD_FACT_DATA, data)                   \
  X(AD_FACT_MODEL, model)                 \
  X(AD_FACT_ARITHMETIC, arithmetic)

enum ad_fact_kind {
#define AD_FACT_KIND(kind, word) kind,
  AD_FACT_KIND_MAP(AD_FACT_KIND)
#undef AD_FACT_KIND
      AD_FACT_KINDS,
  AD_FACT_CIRCUMSTANCE = AD_FACT_KINDS, /* of one arithmetic it changes no bit (docs/arithmetic.md) */
  AD_FACT_OCCASION                      /* where and when: never told */
};

/* X(name, kind): first those that decide bits, in the order in which differences are told. A fact that is not here is
 * told behind them. `ranks` decides with the native reduction alone. */
#define AD_FACT_MAP(X)                    \
  X(data_descriptor, AD_FACT_DATA)        \
  X(data_train, AD_FACT_DATA)             \
  X(data_dev, AD_FACT_DATA)               \
  X(base_model, AD_FACT_MODEL)            \
  X(initial_parameters, AD_FACT_MODEL)    \
  X(arithmetic, AD_FACT_ARITHMETIC)       \
  X(reduction, AD_FACT_CONFIGURATION)     \
  X(classifier, AD_FACT_MODEL)            \
  X(version, AD_FACT_CIRCUMSTANCE)        \
  X(commit, AD_FACT_CIRCUMSTANCE)         \
  X(compiler, AD_FACT_CIRCUMSTANCE)       \
  X(build, AD_FACT_CIRCUMSTANCE)          \
  X(kernels, AD_FACT_CIRCUMSTANCE)        \
  X(products, AD_FACT_CIRCUMSTANCE)       \
  X(bfloat16, AD_FACT_CIRCUMSTANCE)       \
  X(cpu, AD_FACT_CIRCUMSTANCE)            \
  X(os, AD_FACT_CIRCUMSTANCE)             \
  X(libc, AD_FACT_CIRCUMSTANCE)           \
  X(mpi, AD_FACT_CIRCUMSTANCE)            \
  X(hdf5, AD_FACT_CIRCUMSTANCE)           \
  X(sleef, AD_FACT_CIRCUMSTANCE)          \
  X(floating_point, AD_FACT_CIRCUMSTANCE) \
  X(host, AD_FACT_OCCASION)               \
  X(hosts, AD_FACT_OCCASION)              \
  X(job, AD_FACT_OCCASION)                \
  X(started, AD_FACT_OCCASION)

/* The kind of a fact. A name that is none of them, as a key of the configuration: AD_FACT_CONFIGURATION. */
enum ad_fact_kind ad_fact_kind(const char *name);

#endif
