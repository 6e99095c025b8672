/* What keys decide: the roles of base/roles.h. What their values are. */
#include "autodidact/base/status.h"
#include "config_internal.h"

static const struct {
  const char *name;
  int keeps;
  enum ad_identity identity;
  const char *decides, *left; /* left as it is by a change */
} roles[AD_ROLES] = {
#define AD_ROLE_ROW(role, name, keeps, identity, decides, left) {name, keeps, identity, decides, left},
    AD_ROLE_MAP(AD_ROLE_ROW)
#undef AD_ROLE_ROW
};

enum ad_role ad_config_role(const char *key) {
  const struct config_option *option = ad__config_find(key);
  return option == NULL ? AD_ROLE_RESULT : option->role;
}

int ad_config_keeps_bits(const char *key) {
  return roles[ad_config_role(key)].keeps;
}

enum ad_identity ad_config_identity(const char *key) {
  return roles[ad_config_role(key)].identity;
}

int ad_config_is_list(const char *key) {
  static const size_t lists[] = {
#define FIELD(field) offsetof(struct ad_config, field),
      AD_CONFIG_LISTS_MAP(FIELD)
#undef FIELD
  };
  const struct config_option *option = ad__config_find(key);
  for (size_t i = 0; option != NULL && i < sizeof lists / sizeof *lists; i++) {
    if (lists[i] == option->offset) {
      return 1;
    }
  }
  return 0;
}

const char *ad_config_younger(const char *key) {
  static const size_t younger[] = {
#define FIELD(field) offsetof(struct ad_config, field),
      AD_CONFIG_YOUNGER_MAP(FIELD)
#undef FIELD
  };
  const struct config_option *option = ad__config_find(key);
  for (size_t i = 0; option != NULL && i < sizeof younger / sizeof *younger; i++) {
    if (younger[i] == option->offset) {
      return option->initial;
    }
  }
  return NULL;
}

enum ad_config_values ad_config_values(const char *key) {
  static const enum ad_config_values values[] = {
      [CONFIG_KIND_TEXT] = AD_VALUES_TEXT,   [CONFIG_KIND_COUNT] = AD_VALUES_COUNT,
      [CONFIG_KIND_REAL] = AD_VALUES_REAL,   [CONFIG_KIND_SWITCH] = AD_VALUES_SWITCH,
      [CONFIG_KIND_CHOICE] = AD_VALUES_TEXT, [CONFIG_KIND_SPAN] = AD_VALUES_TEXT};
  const struct config_option *option = ad__config_find(key);
  return option == NULL ? AD_VALUES_TEXT : values[option->kind];
}

const char *ad_config_meaning(const char *key) {
  const struct config_option *option = ad__config_find(key);
  return option == NULL ? "" : option->help;
}

static int put_keys(enum ad_role role, struct ad_buffer *out) {
  const char *before = "";
  for (size_t i = 0; i < AD_CONFIG_KEYS; i++) {
    if (ad__config_options[i].role == role) {
      AD_TRY(ad_buffer_printf(out, "%s`%s`", before, ad__config_options[i].key));
      before = ", ";
    }
  }
  return AD_OK;
}

int ad_config_roles(struct ad_buffer *out) {
  static const char *const identities[] = {
#define AD_IDENTITY_TEXT(identity, text) text,
      AD_IDENTITY_MAP(AD_IDENTITY_TEXT)
#undef AD_IDENTITY_TEXT
  };
  AD_TRY(ad_buffer_puts(out,
                        "| role | its keys decide | a change leaves as it is | another value, when a run goes on "
                        "| a study knows a cell by | keys |\n| --- | --- | --- | --- | --- | --- |\n"));
  for (enum ad_role r = 0; r < AD_ROLES; r++) {
    AD_TRY(ad_buffer_printf(out, "| `%s` | %s | %s | %s | %s | ", roles[r].name, roles[r].decides, roles[r].left,
                            r == AD_ROLE_LENGTH ? "is taken where it is larger and no bit depends on it, else refused"
                            : roles[r].keeps    ? "is taken"
                                                : "is refused",
                            identities[roles[r].identity]));
    AD_TRY(put_keys(r, out));
    AD_TRY(ad_buffer_puts(out, " |\n"));
  }
  return AD_OK;
}
