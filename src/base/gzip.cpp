#include "base/gzip.h"

#include <zlib.h>

#include <algorithm>

namespace floptally {

bool is_gzip(std::string_view bytes) {
  return bytes.size() > 2 && bytes[0] == '\x1f' && bytes[1] == static_cast<char>(0x8b);
}

Result<std::string> gunzip(std::string_view bytes, std::size_t most) {
  z_stream stream{};
  if (inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) return error("bad-gzip", "the gzip reader cannot start");
  std::string out;
  char block[1 << 16];
  std::size_t taken = 0;
  int state = Z_OK;
  while (state != Z_STREAM_END) {
    if (stream.avail_in == 0 && taken < bytes.size()) {
      const std::size_t next = std::min<std::size_t>(bytes.size() - taken, 1u << 30);
      stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data() + taken));  // zlib reads only
      stream.avail_in = static_cast<uInt>(next);
      taken += next;
    }
    stream.next_out = reinterpret_cast<Bytef*>(block);
    stream.avail_out = sizeof block;
    state = inflate(&stream, Z_NO_FLUSH);
    const std::size_t made = sizeof block - stream.avail_out;
    if ((state != Z_OK && state != Z_STREAM_END) || (state == Z_OK && made == 0 && stream.avail_in == 0)) {
      inflateEnd(&stream);
      return error("bad-gzip", "the gzip data is damaged or cut short", {},
                   "compress the file again, or give it uncompressed");
    }
    if (out.size() + made > most) {
      inflateEnd(&stream);
      return error("file-too-large", "more than " + std::to_string(most) + " bytes are inside the gzip file");
    }
    out.append(block, made);
    if (state == Z_STREAM_END && stream.avail_in > 0 && stream.avail_in > 2) {  // several members in a row
      inflateReset(&stream);
      state = Z_OK;
    }
  }
  inflateEnd(&stream);
  return out;
}

}  // namespace floptally
