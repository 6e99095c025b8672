/* What a key of the configuration decides. Each key has one role (base/config.h). Code that treats keys alike asks for
 * their role and keeps no list of names. These are resuming and `diff` (which keys change no bit), studies (what a cell
 * is), replays (what they leave out), ensembles (what their members must share). The table in docs/reproducibility.md
 * is printed from them. Words: docs/glossary.md. */
#ifndef AUTODIDACT_BASE_ROLES_H
#define AUTODIDACT_BASE_ROLES_H

/* What counts of a key where it is asked whether two trainings are the same one: X(constant, its text). */
#define AD_IDENTITY_MAP(X)                                                    \
  X(AD_IDENTITY_NONE, "nothing of it")       /* the key may differ */         \
  X(AD_IDENTITY_VALUE, "its value")          /* the value must be the same */ \
  X(AD_IDENTITY_CONTENT, "what it leads to") /* the contents of a path must be */

/* X(role, name, keeps, identity, what its keys decide, what a change leaves as it is). keeps: 1 where log.jsonl,
 * weights and scores stay as they are, so that a run may go on with another value. */
#define AD_ROLE_MAP(X)                                                                                              \
  X(AD_ROLE_RESULT, "result", 0, AD_IDENTITY_VALUE, "what is computed", "nothing")                                  \
  X(AD_ROLE_LENGTH, "length", 0, AD_IDENTITY_VALUE, "how many steps there are",                                     \
    "where no step depends on their number: the steps that both have")                                              \
  X(AD_ROLE_TOKENS, "tokens", 0, AD_IDENTITY_VALUE, "what is read of an example", "nothing")                        \
  X(AD_ROLE_EXAMPLES, "examples", 0, AD_IDENTITY_VALUE, "which examples there are", "nothing")                      \
  X(AD_ROLE_INPUT, "input", 0, AD_IDENTITY_CONTENT, "which files are read", "everything, where they hold the same") \
  X(AD_ROLE_SEED, "seed", 0, AD_IDENTITY_VALUE, "one stream of random numbers", "the other streams")                \
  X(AD_ROLE_OBSERVATION, "observation", 1, AD_IDENTITY_VALUE, "what is kept besides",                               \
    "`log.jsonl`, the weights, the scores in `result.json`")                                                        \
  X(AD_ROLE_LAYOUT, "layout", 1, AD_IDENTITY_NONE, "who computes and writes what, in which memory",                 \
    "the same, and the snapshots")                                                                                  \
  X(AD_ROLE_STOP, "stop", 1, AD_IDENTITY_NONE, "when a run begins, saves, stops and goes on",                       \
    "the same, and the values in the snapshots")                                                                    \
  X(AD_ROLE_PLACE, "place", 1, AD_IDENTITY_NONE, "where files lie", "the same, and the snapshots")

enum ad_identity {
#define AD_IDENTITY_ENUM(identity, text) identity,
  AD_IDENTITY_MAP(AD_IDENTITY_ENUM)
#undef AD_IDENTITY_ENUM
};

enum ad_role {
#define AD_ROLE_ENUM(role, ...) role,
  AD_ROLE_MAP(AD_ROLE_ENUM)
#undef AD_ROLE_ENUM
      AD_ROLES
};

#endif
