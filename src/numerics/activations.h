// Activations that a user gives: what really goes into a matrix, so that its product's error, and the columns that
// LLM.int8() keeps, are those of the model at work.
//
// A file of tensors: each is called like the weight it goes into (with or without ".weight", or with ".input" after
// that), or "default" for all weights of fitting width; its last dimension is the matrix's input, every row before it
// one vector (a token).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/file.h"
#include "network/tensor_file/tensor_file.h"
#include "numerics/measure.h"

namespace floptally::numerics {

class Activations {
 public:
  // Errors: bad-activations (a tensor that is not of plain floating-point numbers), file-unreadable.
  static Result<Activations> open(const TensorFile& file);

  // The tensor that goes into `weight` of `columns` inputs; null where there is none.
  // Error: bad-activations (one of that name is of another width).
  [[nodiscard]] Result<const TensorEntry*> find(std::string_view weight, std::uint64_t columns) const;
  [[nodiscard]] static std::uint64_t rows(const TensorEntry& entry);

  // The first `most` vectors (0: all). Errors: bad-activations (NaN or infinity inside), file-unreadable.
  [[nodiscard]] Result<Probe> probe(const TensorEntry& entry, std::size_t most) const;
  // Inputs of which any vector holds a magnitude of at least `threshold` (Dettmers et al. 2208.07339, section 3.2).
  [[nodiscard]] Result<std::vector<std::uint32_t>> outliers(const TensorEntry& entry, double threshold) const;

 private:
  // body(first row, values of some rows) until the rows are over.
  template <class Body>
  Result<bool> each(const TensorEntry& entry, std::uint64_t rows, Body&& body) const;

  std::vector<TensorEntry> entries_;
  std::vector<std::shared_ptr<const TensorStorage>> storage_;  // of their names
  std::vector<InputFile> files_;
};

}  // namespace floptally::numerics
