// Encoder: one tensor under one scheme, a chunk at a time. Passes over the data come first where a scale depends on the
// whole tensor; then every chunk is encoded by itself. Chunks are cut the same way whatever the number of threads, and
// what passes gather is merged in chunk order, so the bytes are the same on any number of threads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "numerics/kernels.h"
#include "numerics/measure.h"
#include "numerics/scheme.h"

namespace floptally::numerics {

// A run of elements in row-major order.
struct Chunk {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  [[nodiscard]] std::size_t size() const { return end - begin; }
};

// Bytes for one part of the stored tensor.
struct Piece {
  std::size_t part = 0;      // index into parts()
  std::uint64_t offset = 0;  // in that part
  std::vector<std::byte> bytes;
};

struct Encoded1 {  // a chunk's result
  std::vector<Piece> pieces;
  std::vector<float> restored;  // what a reader will get back
  std::uint64_t saturated = 0;
};

// What a chunk adds to a pass: merged by sum or by maximum, element by element.
struct Gathered {
  std::vector<double> values;
};

class Encoder {
 public:
  // `range`: of the finite values; `stored`: how the input is held (outlier columns keep it); `outliers`: llm-int8's
  // columns where activations told them (else the weights do, in a pass).
  Encoder(const Scheme& scheme, std::vector<std::int64_t> shape, Stored stored, const Range& range,
          const std::vector<std::uint32_t>* outliers = nullptr);

  [[nodiscard]] const std::vector<Chunk>& chunks() const { return chunks_; }
  // Passes still to run, in order, before encode(); none for most schemes.
  [[nodiscard]] bool wants_pass() const { return next_pass_ < passes_.size(); }
  // Thread-safe; `values` are the chunk's elements, finite.
  [[nodiscard]] Gathered gather(const Chunk& chunk, std::span<const float> values) const;
  void merge(const Gathered& part);  // in chunk order
  void end_pass();

  // Stored tensors; known after the passes.
  [[nodiscard]] std::vector<Part> parts() const;
  // Thread-safe; after the passes.
  void encode(const Chunk& chunk, std::span<const float> values, Encoded1& out) const;
  // Parts whose bytes do not come from chunks (tensor scales, outlier columns).
  [[nodiscard]] std::vector<Piece> tensor_pieces() const;
  [[nodiscard]] const std::vector<std::uint32_t>& outlier_columns() const { return outliers_; }
  // Why the range does not allow this scheme ("" if it does): a step below fp32's normal numbers, a zero point beyond
  // int32.
  [[nodiscard]] std::string impossible() const;

 private:
  enum class Pass { coarse_histogram, fine_histogram, candidates, block_scales, columns, row_ranges };
  [[nodiscard]] std::uint64_t pass_size(Pass pass) const;
  struct Unit {  // one scale
    float step = 0;
    float multiplier = 0;
    float shift = 0;  // zero point
    float clip = 0;
  };
  void cut();
  void keep_columns(std::vector<std::uint32_t> columns);
  void plan_passes(bool search_outliers);
  [[nodiscard]] Unit unit_from(float low, float high) const;
  [[nodiscard]] Unit unit_of(std::span<const float> values) const;
  [[nodiscard]] float clip_of(std::span<const float> values) const;
  void encode_scaled(const Chunk& chunk, std::span<const float> values, Encoded1& out) const;
  template <class ScaleOf>
  void encode_scaled(const Chunk& chunk, std::span<const float> values, Encoded1& out, ScaleOf scale_of) const;
  void encode_mx(const Chunk& chunk, std::span<const float> values, Encoded1& out) const;
  void encode_nvfp4(const Chunk& chunk, std::span<const float> values, Encoded1& out) const;
  void encode_nf4(const Chunk& chunk, std::span<const float> values, Encoded1& out) const;
  void encode_block(const Chunk& chunk, std::span<const float> values, Encoded1& out) const;
  void encode_cast(const Chunk& chunk, std::span<const float> values, Encoded1& out) const;
  void keep_outliers(const Chunk& chunk, std::span<const float> values, Encoded1& out) const;
  void codes_out(const Chunk& chunk, std::span<const std::uint8_t> codes, Encoded1& out) const;
  void unit_codes(std::span<const float> values, const Unit& unit, std::uint8_t* codes, float* restored,
                  std::uint64_t& saturated) const;
  template <class F>
  void each_unit(const Chunk& chunk, F&& body) const;
  [[nodiscard]] std::uint64_t units_per_row() const;

  Scheme scheme_;
  std::vector<std::int64_t> shape_;
  Stored stored_;
  Range range_;
  View view_;
  std::vector<Chunk> chunks_;
  std::vector<Pass> passes_;
  std::size_t next_pass_ = 0;
  std::vector<double> gathered_;
  // Results of passes.
  float tensor_clip_ = 0;
  std::uint32_t coarse_bin_ = 0;
  double below_bin_ = 0;
  float block_mean_ = 0;
  std::vector<Unit> row_units_;  // long rows
  std::vector<std::uint32_t> outliers_;
};

inline constexpr std::uint64_t kChunk = std::uint64_t{1} << 18;  // elements: 1 MiB of fp32

}  // namespace floptally::numerics
