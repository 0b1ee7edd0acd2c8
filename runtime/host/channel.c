#define _POSIX_C_SOURCE 200809L  /* ssize_t */

#include "host/channel.h"

#include <errno.h>
#include <lauxlib.h>
#include <unistd.h>

static td_span text_at(lua_State *L, int index) {
  size_t size;
  const char *text = lua_tolstring(L, index, &size);
  return (td_span){(const uint8_t *)text, size};
}

/* Bytes of the parcel of the list at `index`, which has `count` entries. */
static size_t measure(lua_State *L, int index, lua_Integer count) {
  size_t size = TD_PARCEL_HEADER_BYTES + 4;
  for (lua_Integer i = 1; i <= count; i++) {
    if (lua_rawgeti(L, index, i) != LUA_TSTRING) {
      luaL_error(L, "parcel: text %I is a %s", (LUAI_UACINT)i,
                 luaL_typename(L, -1));
    }
    size += td_parcel_text_bytes(text_at(L, -1).size);
    lua_pop(L, 1);
    if (size > TD_PARCEL_BYTES_MAX) {
      luaL_error(L, "parcel: more than %I bytes",
                 (LUAI_UACINT)TD_PARCEL_BYTES_MAX);
    }
  }
  return size;
}

td_span td_channel_pack(lua_State *L, int index) {
  index = lua_absindex(L, index);
  luaL_checktype(L, index, LUA_TTABLE);
  lua_Integer count = (lua_Integer)lua_rawlen(L, index);
  if (count > (lua_Integer)TD_PARCEL_TEXTS_MAX) {
    luaL_error(L, "parcel: more than %I texts",
               (LUAI_UACINT)TD_PARCEL_TEXTS_MAX);
  }
  size_t size = measure(L, index, count);
  uint8_t *bytes = lua_newuserdatauv(L, size, 0);
  uint8_t *at = bytes + TD_PARCEL_HEADER_BYTES + 4;
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, index, i);
    td_parcel_put(&at, text_at(L, -1));
    lua_pop(L, 1);
  }
  td_assert((size_t)(at - bytes) == size);
  td_parcel_seal(bytes, size, (uint32_t)count);
  return (td_span){bytes, size};
}

bool td_channel_unpack(lua_State *L, const td_parcel *parcel, td_span body) {
  td_parcel_texts texts;
  td_error err;
  if (td_parcel_open(parcel, body, &texts, &err) != TD_OK) {
    char why[TD_ERROR_TEXT_MAX];
    td_error_format(&err, why, sizeof why);
    lua_pushnil(L);
    lua_pushstring(L, why);
    return false;
  }
  lua_createtable(L, (int)texts.count, 0);
  for (lua_Integer i = 1; texts.count > 0; i++) {
    td_span text = td_parcel_next(&texts);
    lua_pushlstring(L, (const char *)text.data, text.size);
    lua_rawseti(L, -2, i);
  }
  return true;
}

bool td_channel_read_all(int fd, void *bytes, size_t size) {
  uint8_t *at = bytes;
  while (size > 0) {
    ssize_t got = read(fd, at, size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    at += got;
    size -= (size_t)got;
  }
  return true;
}

bool td_channel_write_all(int fd, td_span bytes) {
  while (bytes.size > 0) {
    ssize_t put = write(fd, bytes.data, bytes.size);
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return false;
    bytes.data += put;
    bytes.size -= (size_t)put;
  }
  return true;
}
