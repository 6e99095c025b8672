/* Restricted maximum likelihood by Fisher's scoring. V = s I + sum of v[k] Z_k Z_k', P = V^-1 - V^-1 1 (1'V^-1 1)^-1
 * 1'V^-1. All that is needed are products with Z [n,q], the indicators of all levels: Z'Z and Z'y are computed once. */
#include "reml.h"

#include <math.h>
#include <string.h>

#include "autodidact/base/memory.h"
#include "autodidact/base/status.h"
#include "cholesky.h"

enum { MOST_STEPS = 200 };

double ad__dot(size_t n, const double *a, const double *b) {
  double sum = 0.0;
  for (size_t i = 0; i < n; i++) {
    sum += a[i] * b[i];
  }
  return sum;
}

/* a' B b. */
static double form(const struct reml *r, const double *a, const double *b) {
  double sum = 0.0;
  for (size_t i = 0; i < r->q; i++) {
    sum += a[i] * ad__dot(r->q, r->inner + i * r->q, b);
  }
  return sum;
}

/* Z'V^-1 x from Z'x. */
static void through(const struct reml *r, const double *zx, double *result) {
  for (size_t i = 0; i < r->q; i++) {
    r->work[i] = ad__dot(r->q, r->inner + i * r->q, zx);
  }
  for (size_t i = 0; i < r->q; i++) {
    result[i] = (zx[i] - ad__dot(r->q, r->counts + i * r->q, r->work)) / r->v[r->terms];
  }
}

/* B = D (I + D Z'Z D)^-1 D, D^2 being the variances over s; log|V| but for constants. Not 0: not positive. */
static int invert(struct reml *r, double *log_determinant) {
  const size_t q = r->q;
  double *root = r->work;
  for (size_t t = 0; t < r->terms; t++) {
    for (size_t i = r->first[t]; i < r->first[t + 1]; i++) {
      root[i] = sqrt(r->v[t] / r->v[r->terms]);
    }
  }
  for (size_t i = 0; i < q * q; i++) {
    r->inner[i] = root[i / q] * r->counts[i] * root[i % q] + (i / q == i % q);
  }
  if (ad__cholesky(q, r->inner) != 0) {
    return -1;
  }
  *log_determinant = (double)r->n * log(r->v[r->terms]);
  for (size_t i = 0; i < q; i++) {
    *log_determinant += 2 * log(r->inner[i * q + i]);
  }
  ad__cholesky_invert(q, r->inner);
  for (size_t i = 0; i < q * q; i++) {
    r->inner[i] *= root[i / q] * root[i % q];
  }
  return 0;
}

/* Mean, its precision and the likelihood at r->v. Not 0: not computable there. */
static int evaluate(struct reml *r) {
  const double s = r->v[r->terms];
  double log_determinant = (double)r->n * log(s), about = 0.0, ones = 0.0, square = 0.0;
  if (!(s > 0.0) || (r->q > 0 && invert(r, &log_determinant) != 0)) {
    return -1;
  }
  if (r->q > 0) {
    ones = form(r, r->ones, r->ones);
    about = form(r, r->ones, r->y);
    square = form(r, r->y, r->y);
  }
  r->precision = ((double)r->n - ones) / s;
  r->mean = (r->sum - about) / s / r->precision;
  const double rest = (r->square - square) / s - r->mean * r->mean * r->precision;
  r->likelihood = -0.5 * (log_determinant + log(r->precision) + rest);
  return isfinite(r->likelihood) ? 0 : -1;
}

/* Z'PZ into r->between, Z'Py into r->u. */
static void project(struct reml *r) {
  const size_t q = r->q;
  const double s = r->v[r->terms];
  through(r, r->ones, r->v_ones);
  through(r, r->y, r->u);
  for (size_t i = 0; i < q; i++) {
    r->u[i] -= r->mean * r->v_ones[i];
  }
  for (size_t i = 0; i < q; i++) {
    for (size_t j = 0; j < q; j++) {
      r->work[i * q + j] = ad__dot(q, r->inner + i * q, r->counts + j * q);
    }
  }
  for (size_t i = 0; i < q; i++) {
    double *row = r->between + i * q;
    memcpy(row, r->counts + i * q, q * sizeof *row);
    for (size_t k = 0; k < q; k++) {
      const double c = r->counts[i * q + k];
      for (size_t j = 0; j < q && c != 0.0; j++) {
        row[j] -= c * r->work[k * q + j];
      }
    }
    for (size_t j = 0; j < q; j++) {
      row[j] = row[j] / s - r->v_ones[i] * r->v_ones[j] / r->precision;
    }
  }
}

/* Sum of the squares of the part of Z'PZ that belongs to terms t and other. */
static double block_square(const struct reml *r, size_t t, size_t other) {
  double sum = 0.0;
  for (size_t i = r->first[t]; i < r->first[t + 1]; i++) {
    const double *row = r->between + i * r->q + r->first[other];
    sum += ad__dot(r->first[other + 1] - r->first[other], row, row);
  }
  return sum;
}

/* What scoring needs. Of the rest by P V P = P: s P P = P - sum of v P Z Z' P. */
static void differentiate(struct reml *r) {
  const size_t K = r->terms;
  const double s = r->v[K];
  double left = (double)r->n - 1, fit = 0.0;
  project(r);
  for (size_t t = 0; t < K; t++) {
    const size_t width = r->first[t + 1] - r->first[t];
    r->score[t] = ad__dot(width, r->u + r->first[t], r->u + r->first[t]);
    r->trace[t] = 0.0;
    for (size_t i = r->first[t]; i < r->first[t + 1]; i++) {
      r->trace[t] += r->between[i * r->q + i];
    }
    for (size_t other = 0; other < K; other++) {
      r->information[t][other] = block_square(r, t, other);
    }
    left -= r->v[t] * r->trace[t];
    fit += r->v[t] * r->score[t];
  }
  r->trace[K] = left / s;
  r->information[K][K] = r->trace[K];
  for (size_t t = 0; t < K; t++) {
    double sum = r->trace[t];
    for (size_t other = 0; other < K; other++) {
      sum -= r->v[other] * r->information[t][other];
    }
    r->information[t][K] = r->information[K][t] = sum / s;
    r->information[K][K] -= r->v[t] * sum / s;
  }
  r->information[K][K] /= s;
  const double rest = r->square / s - r->mean * r->mean * r->precision;
  r->score[K] = (rest - (r->q > 0 ? form(r, r->y, r->y) / s : 0.0) - fit) / s;
}

/* Solves information x = right for the parts that are used; x of the others is 0. */
static int solve(const struct reml *r, const unsigned char *used, const double *right, double *x) {
  double matrix[PARTS * PARTS], vector[PARTS];
  size_t place[PARTS], count = 0;
  for (size_t t = 0; t <= r->terms; t++) {
    x[t] = 0.0;
    if (used[t]) {
      place[count++] = t;
    }
  }
  for (size_t i = 0; i < count; i++) {
    vector[i] = right[place[i]];
    for (size_t j = 0; j < count; j++) {
      matrix[i * count + j] = r->information[place[i]][place[j]];
    }
  }
  if (ad__cholesky(count, matrix) != 0) {
    return -1;
  }
  for (size_t i = 0; i < count; i++) {
    /* Of terms that the design cannot tell apart the last pivot is a rounding. */
    if (!(matrix[i * count + i] > 1e-7 * sqrt(r->information[place[i]][place[i]]))) {
      return -1;
    }
  }
  ad__cholesky_solve(count, matrix, vector);
  for (size_t i = 0; i < count; i++) {
    x[place[i]] = vector[i];
  }
  return 0;
}

/* Goes from r->v to `target`, half as far as long as the likelihood falls. How far, against the sum of the variances;
 * negative: nowhere. */
static double step_to(struct reml *r, const double *target) {
  const double before = r->likelihood;
  double from[PARTS], moved = 0.0, total = 0.0;
  memcpy(from, r->v, sizeof from);
  for (double part = 1.0; part > 1e-9; part /= 2) {
    for (size_t t = 0; t <= r->terms; t++) {
      r->v[t] = from[t] + part * (target[t] - from[t]);
    }
    if (evaluate(r) == 0 && r->likelihood >= before - 1e-10 * (1 + fabs(before))) {
      for (size_t t = 0; t <= r->terms; t++) {
        moved = fmax(moved, fabs(r->v[t] - from[t]));
        total += r->v[t];
      }
      return moved / total;
    }
  }
  memcpy(r->v, from, sizeof from);
  return evaluate(r) == 0 ? 0.0 : -1.0;
}

/* A variance that would be negative becomes 0 and is left out; 1: there was one. */
static int drop_negative(const struct reml *r, unsigned char *used, double *target) {
  size_t worst = r->terms;
  for (size_t t = 0; t < r->terms; t++) {
    worst = used[t] && target[t] < 0.0 && (worst == r->terms || target[t] < target[worst]) ? t : worst;
  }
  if (worst < r->terms) {
    used[worst] = 0;
  }
  return worst < r->terms;
}

/* A variance of 0 whose likelihood grows from there comes back; 1: there was one. */
static int take_back(const struct reml *r, unsigned char *used) {
  for (size_t t = 0; t < r->terms; t++) {
    if (!used[t] && r->score[t] > r->trace[t] * (1 + 1e-9)) {
      used[t] = 1;
      return 1;
    }
  }
  return 0;
}

const char *ad__reml_maximize(struct reml *r, unsigned char *used) {
  static const char lost[] = "the variances of these terms cannot be told apart";
  size_t returns = 0;
  if (evaluate(r) != 0) {
    return lost;
  }
  for (size_t step = 0; step < MOST_STEPS; step++) {
    double target[PARTS];
    differentiate(r);
    do {
      if (solve(r, used, r->score, target) != 0) {
        return lost;
      }
    } while (drop_negative(r, used, target));
    if (!(target[r->terms] > 0.0)) {
      return "besides the levels that runs share nothing varies";
    }
    const double moved = step_to(r, target);
    if (moved < 0.0) {
      return lost;
    }
    if (moved < 1e-11) {
      differentiate(r);
      if (returns++ > 2 * AD_TERMS || !take_back(r, used)) {
        return NULL;
      }
    }
  }
  return "restricted maximum likelihood does not converge";
}

int ad__reml_prepare(struct reml *r, const double *values, const struct ad_terms *terms, double shift, double scale) {
  const size_t q = r->q;
  double *block = ad_calloc(4 * q * q + 4 * q + 1, sizeof *block);
  if (block == NULL) {
    return ad_fail_memory((4 * q * q + 4 * q + 1) * sizeof *block, "restricted maximum likelihood");
  }
  r->counts = block;
  r->inner = block + q * q;
  r->work = block + 2 * q * q;
  r->between = block + 3 * q * q;
  r->ones = block + 4 * q * q;
  r->y = r->ones + q;
  r->v_ones = r->y + q;
  r->u = r->v_ones + q;
  for (size_t i = 0; i < r->n; i++) {
    const double y = (values[i] - shift) / scale;
    r->sum += y;
    r->square += y * y;
    for (size_t t = 0; t < r->terms; t++) {
      const size_t place = r->first[t] + terms->group[t][i];
      r->ones[place] += 1;
      r->y[place] += y;
      for (size_t other = 0; other < r->terms; other++) {
        r->counts[place * q + r->first[other] + terms->group[other][i]] += 1;
      }
    }
  }
  return AD_OK;
}
