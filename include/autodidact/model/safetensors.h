/* The safetensors file format: 8 bytes with the length N of the header (little-endian), N bytes of JSON that name each
 * tensor's type, shape and place, then the data. A file is trusted in nothing: every number is checked before use.
 *
 * Opening accepts all types of whole bytes, because real files hold integer buffers beside the weights; converting
 * accepts F32, F16 and BF16. */
#ifndef AUTODIDACT_MODEL_SAFETENSORS_H
#define AUTODIDACT_MODEL_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "autodidact/base/file.h"

/* X(name in the file, bytes per element) */
#define AD_DTYPE_MAP(X) \
  X(BOOL, 1)            \
  X(U8, 1)              \
  X(I8, 1)              \
  X(F8_E5M2, 1)         \
  X(F8_E4M3, 1)         \
  X(I16, 2)             \
  X(U16, 2)             \
  X(F16, 2)             \
  X(BF16, 2)            \
  X(I32, 4)             \
  X(U32, 4)             \
  X(F32, 4)             \
  X(I64, 8)             \
  X(U64, 8)             \
  X(F64, 8)

enum ad_dtype {
#define AD_DTYPE_ENUM(name, bytes) AD_DTYPE_##name,
  AD_DTYPE_MAP(AD_DTYPE_ENUM)
#undef AD_DTYPE_ENUM
};

enum { AD_SAFETENSORS_DIMENSIONS = 8 }; /* more dimensions than any model has are refused */

struct ad_safetensor {
  char *name; /* owned by the file */
  enum ad_dtype dtype;
  size_t dimensions; /* 0 for a scalar */
  size_t shape[AD_SAFETENSORS_DIMENSIONS];
  size_t count;     /* elements: the product of shape */
  const char *data; /* [bytes] inside the mapping, aligned to nothing */
  size_t bytes;
};

struct ad_safetensors {
  char *name; /* for messages: the path; owned */
  struct ad_file_map map;
  struct ad_safetensor *tensors; /* [count] in the order of their data; owned */
  size_t count;
};

/* Maps the file and checks all of it but the values: length and syntax of the header, names used twice, types, shapes.
 * The data must follow one another from the first byte to the last without overlap or hole. The caller owns it:
 * ad_safetensors_close. AD_EINPUT naming file, tensor, what was found and expected; AD_EIO, AD_ENOMEM. */
int ad_safetensors_open(struct ad_safetensors *file, const char *path);

/* The same from memory, data [size], which must outlive `file`. `name` is for messages. */
int ad_safetensors_parse(struct ad_safetensors *file, const char *name, const void *data, size_t size);

/* Releases what open or parse made; a zeroed struct is allowed. */
void ad_safetensors_close(struct ad_safetensors *file);

/* The tensor of this name; NULL if there is none. Points into `file`. */
const struct ad_safetensor *ad_safetensors_find(const struct ad_safetensors *file, const char *name);

/* A tensor's values as float32 into out [tensor->count]: exact, as each value of F16 and BF16 is one of float32; NaN
 * and infinities stay what they are. AD_EINPUT naming file, tensor and type where the type is none of F32, F16, BF16.
 */
int ad_safetensors_convert(const struct ad_safetensors *file, const struct ad_safetensor *tensor, float *out);

/* One half-precision (IEEE 754 binary16) or bfloat16 number as float32. */
float ad_float_from_f16(uint16_t bits);
float ad_float_from_bf16(uint16_t bits);

/* "F32", and bytes per element. */
const char *ad_dtype_name(enum ad_dtype dtype);
size_t ad_dtype_bytes(enum ad_dtype dtype);

/* "[384, 1536]", or "[]" for a scalar, into text [size], cut where it does not fit; returns text. */
char *ad_shape_text(const size_t *shape, size_t dimensions, char *text, size_t size);

/* A float32 tensor to be written; nothing is owned. */
struct ad_safetensor_source {
  const char *name;
  size_t dimensions; /* 1 to 3 */
  size_t shape[3];
  const float *data; /* [the product of shape] */
};

/* Writes tensors [count], in this order, as F32 with metadata {"format": "pt"}: whole or not at all (temporary name,
 * fsync, rename), straight from the sources' memory. AD_EIO, AD_ENOMEM. */
int ad_safetensors_write(const char *path, const struct ad_safetensor_source *tensors, size_t count);

#endif
