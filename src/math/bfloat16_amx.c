/* Products with bfloat16 operands by AMX, whose tiles hold 16 rows of 16 pairs. TDPBF16PS makes two chains of 16 fused
 * multiply-adds from zero, over the even and over the odd numbers, and adds their sum to the tile: the block that
 * docs/arithmetic.md has taken from it. Intel's manual gives the order and the flushing of subnormal numbers. */
#include "bfloat16_way.h"

#if defined(__x86_64__) && defined(__linux__) && defined(AD_HAVE_AMX)
#include <cpuid.h>
#include <immintrin.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SIDE = 16, DEPTH = AD_BF16_DEPTH };

/* Leave to use the tiles, which Linux gives to a process that asks: arch_prctl(ARCH_REQ_XCOMP_PERM, XTILEDATA). */
static enum ad_bf16_runs runs(const struct ad_kernels *kernels) {
  enum { REQUEST = 0x1023, TILES = 18, AMX_BF16 = 1 << 22, AMX_TILE = 1 << 24 };
  unsigned a, b, c, d;
  if (strcmp(kernels->name, "v4") != 0 || __get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & AMX_BF16) == 0 ||
      (d & AMX_TILE) == 0) {
    return AD_BF16_ABSENT;
  }
  return syscall(SYS_arch_prctl, REQUEST, TILES) == 0 ? AD_BF16_FAST : AD_BF16_ABSENT;
}

/* Tiles: 0 to 3 the sums, of two times two; 4, 5 rows; 6, 7 columns. */
struct tiles {
  uint8_t palette, start, unused[14];
  uint16_t bytes[16]; /* of a row */
  uint8_t rows[16];
};

/* Rows of a block that this thread's tiles are made for; 0: they are not. */
static _Thread_local size_t set;

static void set_rows(size_t rows) {
  if (rows == set) {
    return;
  }
  const size_t upper = rows < SIDE ? rows : SIDE, lower = rows - upper;
  struct tiles t = {.palette = 1};
  for (int i = 0; i < 8; i++) {
    const int below = i == 2 || i == 3 || i == 5;
    t.bytes[i] = 4 * SIDE;
    t.rows[i] = (uint8_t)(i >= 6 ? SIDE : below ? (lower > 0 ? lower : 1) : upper);
  }
  _tile_loadconfig(&t);
  set = rows;
}

static void end(void) {
  _tile_release();
  set = 0;
}

/* A block of up to 2 x 2 tiles: c (ldc), of which every row and column exists. */
static void block(size_t rows, size_t columns, size_t blocks, const ad_bf16 *a, size_t lda, const ad_bf16 *b,
                  size_t width, float *c, size_t ldc, int accumulate) {
  const size_t line = 4 * ldc, left = 2 * lda, right = 4 * width;
  float *below = c + SIDE * ldc;
  const int two = rows > SIDE, wide = columns > SIDE;
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  if (accumulate) {
    _tile_loadd(0, c, line);
    if (wide) {
      _tile_loadd(1, c + SIDE, line);
    }
    if (two) {
      _tile_loadd(2, below, line);
    }
    if (two && wide) {
      _tile_loadd(3, below + SIDE, line);
    }
  }
  for (size_t k = 0; k < blocks; k++, a += DEPTH, b += DEPTH * width) {
    _tile_loadd(6, b, right);
    _tile_loadd(4, a, left);
    _tile_dpbf16ps(0, 4, 6);
    if (two) {
      _tile_loadd(5, a + SIDE * lda, left);
      _tile_dpbf16ps(2, 5, 6);
    }
    if (wide) {
      _tile_loadd(7, b + 2 * SIDE, right);
      _tile_dpbf16ps(1, 4, 7);
      if (two) {
        _tile_dpbf16ps(3, 5, 7);
      }
    }
  }
  _tile_stored(0, c, line);
  if (wide) {
    _tile_stored(1, c + SIDE, line);
  }
  if (two) {
    _tile_stored(2, below, line);
  }
  if (two && wide) {
    _tile_stored(3, below + SIDE, line);
  }
}

/* Columns behind the last whole tile go by way of memory that has room for them. */
static void edge(size_t rows, size_t columns, size_t blocks, const ad_bf16 *a, size_t lda, const ad_bf16 *b,
                 size_t width, float *c, size_t ldc, int accumulate) {
  _Alignas(64) float tile[2 * SIDE][2 * SIDE];
  const size_t whole = columns > SIDE ? 2 * SIDE : SIDE;
  for (size_t r = 0; accumulate && r < rows; r++) {
    memcpy(tile[r], c + r * ldc, columns * sizeof *c);
    memset(tile[r] + columns, 0, (whole - columns) * sizeof *c);
  }
  block(rows, whole, blocks, a, lda, b, width, tile[0], 2 * SIDE, accumulate);
  for (size_t r = 0; r < rows; r++) {
    memcpy(c + r * ldc, tile[r], columns * sizeof *c);
  }
}

static void product(const struct ad_kernels *kernels, size_t M, size_t N, size_t width, size_t inner, const void *A,
                    size_t ld, const void *B, float *C, size_t ldc, int accumulate) {
  const size_t blocks = ad_bf16_depth(inner) / DEPTH;
  (void)kernels;
  for (size_t m = 0; m < M; m += 2 * SIDE) {
    const size_t rows = M - m < 2 * SIDE ? M - m : 2 * SIDE;
    set_rows(rows);
    for (size_t n = 0; n < N; n += 2 * SIDE) {
      const size_t columns = N - n < 2 * SIDE ? N - n : 2 * SIDE;
      (columns % SIDE == 0 ? block : edge)(rows, columns, blocks, (const ad_bf16 *)A + m * ld, ld,
                                           (const ad_bf16 *)B + 2 * n, width, C + m * ldc + n, ldc, accumulate);
    }
  }
}

#else
static enum ad_bf16_runs runs(const struct ad_kernels *kernels) {
  (void)kernels;
  return AD_BF16_ABSENT;
}
#define product NULL
#define end NULL
#endif

const struct ad_bf16_way ad_bf16_amx = {"amx", runs, 0, 0, ad_bf16_in_order, NULL, NULL, product, end};
