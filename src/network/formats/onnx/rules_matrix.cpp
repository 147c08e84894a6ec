// Matrix products.
#include <algorithm>

#include "network/formats/onnx/eval.h"
#include "network/formats/onnx/rules_shared.h"

namespace floptally::onnx {

bool matmul_shape(Eval& e, const Type& a, const Type& b, std::uint8_t elem, MatmulSizes& s) {
  if (!a.ranked() || !b.ranked()) {
    e.unranked(0, elem);
    return true;
  }
  if (a.rank == 0 || b.rank == 0) return e.fail("shape-mismatch", "multiplies a scalar as a matrix");
  const bool row = a.rank == 1, column = b.rank == 1;  // a vector counts as a matrix of one row or column
  s.rows = row ? 1 : a.dims[a.rank - 2];
  s.inner = a.dims[a.rank - 1];
  s.columns = column ? 1 : b.dims[b.rank - 1];
  const std::int64_t inner = column ? b.dims[0] : b.dims[b.rank - 2];
  if (s.inner >= 0 && inner >= 0 && s.inner != inner)
    return e.fail("shape-mismatch",
                  "multiplies rows of " + std::to_string(s.inner) + " by columns of " + std::to_string(inner));
  if (s.inner < 0) s.inner = inner;
  Type left, right;
  left.dims = a.dims;
  left.rank = static_cast<std::uint8_t>(std::max(0, a.rank - 2));
  right.dims = b.dims;
  right.rank = static_cast<std::uint8_t>(std::max(0, b.rank - 2));
  Dims dims;
  if (!e.broadcast(left, right, dims)) return false;
  s.batch = 1;
  for (int i = 0; i < dims.n; ++i) s.batch = size_times(s.batch, dims.v[i]);
  if (right.rank == 0) {  // one matrix for the whole batch: a taller product
    s.rows = size_times(s.rows, s.batch);
    s.batch = 1;
  }
  if (!row) dims.push(a.dims[a.rank - 2]);
  if (!column) dims.push(s.columns);
  e.shape(0, elem, dims);
  return true;
}

namespace {

using graph::Kind;

bool matmul(Eval& e) {
  MatmulSizes s;
  if (!matmul_shape(e, e.in(0), e.in(1), e.in(0).elem, s)) return false;
  e.product(e.in(1).has(kWeight) || e.in(0).has(kWeight) ? Kind::product : Kind::attention, 0, 1, s.batch, s.rows,
            s.columns, s.inner);
  return true;
}

bool matmul_integer(Eval& e) {
  MatmulSizes s;
  if (!matmul_shape(e, e.in(0), e.in(1), kInt32, s)) return false;
  e.product(Kind::product, 0, 1, s.batch, s.rows, s.columns, s.inner);
  return true;
}

bool gemm(Eval& e) {
  const Type a = e.in(0), b = e.in(1);
  if (!a.ranked() || !b.ranked()) {
    e.unranked(0, a.elem);
    e.product(Kind::product, 0, 1, kUnknown, 1, 1, 1);
    return true;
  }
  if (a.rank != 2 || b.rank != 2) return e.fail("shape-mismatch", "needs two matrices");
  const bool ta = e.integer("transA", 0) != 0, tb = e.integer("transB", 0) != 0;
  const std::int64_t rows = a.dims[ta ? 1 : 0], inner = a.dims[ta ? 0 : 1];
  const std::int64_t columns = b.dims[tb ? 0 : 1], other = b.dims[tb ? 1 : 0];
  if (inner >= 0 && other >= 0 && inner != other)
    return e.fail("shape-mismatch",
                  "multiplies rows of " + std::to_string(inner) + " by columns of " + std::to_string(other));
  Dims dims;
  dims.push(rows);
  dims.push(columns);
  e.shape(0, a.elem, dims);
  e.product(Kind::product, 0, 1, 1, rows, columns, inner < 0 ? other : inner);
  return true;
}

// An index of an Einsum term: letters are 1..52, the positions under an ellipsis follow.
constexpr int kLabels = 53 + kMaxRank;
struct Term {
  int labels[kMaxRank];
  int n = 0;
  bool has_dots = false;
};

int letter(char c) { return c >= 'a' && c <= 'z' ? c - 'a' + 1 : c >= 'A' && c <= 'Z' ? c - 'A' + 27 : 0; }

// Reads one term; `dots` is how many dimensions its ellipsis stands for (aligned right in labels 53...).
bool read_term(std::string_view text, int rank, Term& term) {
  int letters = 0;
  for (char c : text) letters += letter(c) != 0 ? 1 : 0;
  const int dots = rank - letters;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') continue;
    if (text.substr(i, 3) == "...") {
      if (term.has_dots || dots < 0 || term.n + dots > kMaxRank) return false;
      term.has_dots = true;
      for (int d = 0; d < dots; ++d) term.labels[term.n++] = kLabels - dots + d;
      i += 2;
    } else {
      const int label = letter(text[i]);
      if (label == 0 || term.n == kMaxRank) return false;
      term.labels[term.n++] = label;
    }
  }
  return rank < 0 || term.n == rank;
}

// An equation with the sizes of its indices.
struct Equation {
  std::int64_t size[kLabels];
  int uses[kLabels] = {};
  Term terms[16], out;
  int dots = 0;  // the widest ellipsis
};

bool read_inputs(Eval& e, std::string_view text, Equation& q) {
  std::fill(q.size, q.size + kLabels, std::int64_t{1});
  for (int i = 0; i < e.inputs(); ++i) {
    const std::size_t comma = text.find(',');
    const std::string_view part = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view{} : text.substr(comma + 1);
    const Type& x = e.in(i);
    if (!read_term(part, x.rank, q.terms[i])) return e.fail("shape-mismatch", "its equation does not fit its inputs");
    bool seen[kLabels] = {};
    for (int k = 0; k < q.terms[i].n; ++k) {
      const int label = q.terms[i].labels[k];
      if (label >= 53) q.dots = std::max(q.dots, kLabels - label);
      if (x.dims[k] != 1 || q.size[label] == 1) q.size[label] = x.dims[k] < 0 ? kUnknown : x.dims[k];
      if (!seen[label]) ++q.uses[label];
      seen[label] = true;
    }
  }
  return true;
}

bool read_output(Eval& e, std::string_view equation, Equation& q) {
  const std::size_t arrow = equation.find("->");
  if (arrow == std::string_view::npos) {  // implicit: dots, then letters that occur once, in order of the alphabet
    for (int d = 0; d < q.dots; ++d) q.out.labels[q.out.n++] = kLabels - q.dots + d;
    for (int code = 'A'; code <= 'z' && q.out.n < kMaxRank; ++code)
      if (letter(static_cast<char>(code)) != 0 && q.uses[letter(static_cast<char>(code))] == 1)
        q.out.labels[q.out.n++] = letter(static_cast<char>(code));
    return true;
  }
  const std::string_view right = equation.substr(arrow + 2);
  int letters = 0;
  for (char c : right) letters += letter(c) != 0 ? 1 : 0;
  const int rank = right.find('.') != std::string_view::npos ? letters + q.dots : letters;
  return read_term(right, rank, q.out) || e.fail("shape-mismatch", "its equation does not read");
}

// Left to right, two operands at a time, as PyTorch does: an index is a row, a column, a batch or an inner index. A
// pair without an inner index is multiplied element by element (at::native::sumproduct_pair). False if all of them are.
bool contract(Eval& e, const Equation& q) {
  bool in_output[kLabels] = {}, have[kLabels] = {}, any = false;
  for (int k = 0; k < q.out.n; ++k) in_output[q.out.labels[k]] = true;
  for (int k = 0; k < q.terms[0].n; ++k) have[q.terms[0].labels[k]] = true;
  for (int i = 1; i < e.inputs(); ++i) {
    bool here[kLabels] = {}, later[kLabels] = {};
    for (int k = 0; k < q.terms[i].n; ++k) here[q.terms[i].labels[k]] = true;
    for (int j = i + 1; j < e.inputs(); ++j)
      for (int k = 0; k < q.terms[j].n; ++k) later[q.terms[j].labels[k]] = true;
    std::int64_t batch = 1, rows = 1, columns = 1, inner = 1;
    bool sums = false;
    for (int l = 1; l < kLabels; ++l) {
      sums = sums || (have[l] && here[l] && !in_output[l] && !later[l] && q.size[l] != 1);
      const bool kept = in_output[l] || later[l];
      if (have[l] && here[l])
        (kept ? batch : inner) = size_times(kept ? batch : inner, q.size[l]);
      else if (have[l] && kept)
        rows = size_times(rows, q.size[l]);
      else if (here[l] && kept)
        columns = size_times(columns, q.size[l]);
      have[l] = (have[l] || here[l]) && kept;
    }
    if (!sums) continue;
    any = true;
    const bool weight = e.in(i).has(kWeight) || e.in(i - 1).has(kWeight);
    e.product(weight ? Kind::product : Kind::attention, i - 1, i, batch, rows, columns, inner);
  }
  return any;
}

bool einsum(Eval& e) {
  if (e.inputs() > 16 || e.inputs() == 0) return e.fail("onnx-malformed", "has no inputs, or more than 16");
  for (int i = 0; i < e.inputs(); ++i) {
    if (e.in(i).ranked()) continue;
    e.unranked(0, e.in(0).elem);
    e.product(Kind::attention, 0, 1, kUnknown, 1, 1, 1);
    return true;
  }
  const std::string_view equation = e.text("equation", "");
  Equation q;
  if (!read_inputs(e, equation.substr(0, equation.find("->")), q) || !read_output(e, equation, q)) return false;
  Dims dims;
  for (int k = 0; k < q.out.n; ++k) dims.push(q.size[q.out.labels[k]]);
  e.shape(0, e.in(0).elem, dims);
  if (e.inputs() == 1 || !contract(e, q)) e.elementwise(1);
  return true;
}

bool det(Eval& e) {
  const Type& x = e.in(0);
  if (!x.ranked() || x.rank < 2) {
    e.unranked(0, x.elem);
    return true;
  }
  Dims dims;
  for (int i = 0; i + 2 < x.rank; ++i) dims.push(x.dims[i]);
  e.shape(0, x.elem, dims);
  e.unknown("Det");
  return true;
}

bool inverse(Eval& e) {
  e.shape_like(0, e.in(0).elem, e.in(0));
  e.unknown("Inverse");
  return true;
}

// com.microsoft FusedMatMul: MatMul whose operands may be transposed.
bool fused_matmul(Eval& e) {
  Type sides[2] = {e.in(0), e.in(1)};
  const bool turned[2] = {e.integer("transA", 0) != 0, e.integer("transB", 0) != 0};
  for (int i = 0; i < 2; ++i) {
    if (!turned[i] || !sides[i].ranked() || sides[i].rank < 2) continue;
    std::int64_t dims[kMaxRank];
    std::copy(sides[i].dims, sides[i].dims + sides[i].rank, dims);
    std::swap(dims[sides[i].rank - 1], dims[sides[i].rank - 2]);
    sides[i].dims = e.model().keep(dims, sides[i].rank);
  }
  MatmulSizes s;
  if (!matmul_shape(e, sides[0], sides[1], sides[0].elem, s)) return false;
  e.product(sides[1].has(kWeight) ? Kind::product : Kind::attention, 0, 1, s.batch, s.rows, s.columns, s.inner);
  return true;
}

}  // namespace

const Rule kMatrixRules[] = {
    {"MatMul", matmul},
    {"Gemm", gemm},
    {"Einsum", einsum},
    {"Det", det},
    {"Inverse", inverse, 0, kAll, kAll, 0, 0, false, "com.microsoft"},
    {"MatMulInteger", matmul_integer, 12, 0, 0},
    {"FusedMatMul", fused_matmul, 0, kAll, kAll, 0, 0, false, "com.microsoft"},
    {"TransposeMatMul", fused_matmul, 0, kAll, kAll, 0, 0, false, "com.microsoft"},
    {"FusedMatMulActivation", fused_matmul, 0, kAll, kAll, 0, 0, false, "com.microsoft"},
    {"GemmFloat8", gemm, 56, 7, kAll, 0, 0, false, "com.microsoft"},
    {"FusedGemm", gemm, 0, kAll, kAll, 0, 0, false, "com.microsoft"},
    {"", nullptr},
};

}  // namespace floptally::onnx
