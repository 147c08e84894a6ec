#include "book/polynomial.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

#include "base/elementary.h"
#include "base/vector_clones.h"

namespace floptally {
namespace {

// Products of sums are multiplied out only while they stay this small.
constexpr std::size_t kTerms = 48;

Monomial times(const Monomial& a, const Monomial& b, int sign) {
  Monomial out;
  auto i = a.begin();
  auto j = b.begin();
  while (i != a.end() || j != b.end()) {
    if (j == b.end() || (i != a.end() && i->first < j->first)) {
      out.push_back(*i++);
    } else if (i == a.end() || j->first < i->first) {
      out.emplace_back(j->first, sign * j->second);
      ++j;
    } else {
      const int power = i->second + sign * j->second;
      if (power != 0) out.emplace_back(i->first, power);
      ++i;
      ++j;
    }
  }
  return out;
}

void accumulate(Polynomial& into, const Polynomial& from, double factor) {
  for (const auto& [monomial, coefficient] : from) {
    const double sum = into[monomial] += factor * coefficient;
    if (sum == 0) into.erase(monomial);
  }
}

double raise(double base, int power) {
  if (power == 1) return base;
  if (power == -1) return 1 / base;
  double result = 1;
  for (int k = 0; k < std::abs(power); ++k) result *= base;
  return power < 0 ? 1 / result : result;
}

}  // namespace

const Polynomial& PolynomialBuilder::of(NodeId id) {
  const auto found = known_.find(id);
  if (found != known_.end()) return found->second;
  return known_.emplace(id, make(id)).first->second;
}

Polynomial PolynomialBuilder::make(NodeId id) {
  const TraceNode& node = trace_.node(id);
  if (!node.uncertain) {
    if (node.value == 0) return {};
    return {{Monomial{}, node.value}};
  }
  Polynomial opaque{{Monomial{{id, 1}}, 1.0}};
  switch (node.op) {
    case NodeOp::named:
      return of(node.a);
    case NodeOp::sum: {
      Polynomial out;
      const NodeId* parts = trace_.arguments(node);
      for (std::uint32_t i = 0; i < node.b; ++i) accumulate(out, of(parts[i]), 1);
      return out.size() > 16 * kTerms ? opaque : out;
    }
    case NodeOp::subtract: {
      Polynomial out = of(node.a);
      accumulate(out, of(node.b), -1);
      return out;
    }
    case NodeOp::multiply: {
      const Polynomial a = of(node.a);
      const Polynomial& b = of(node.b);
      if (a.size() * b.size() > kTerms) return opaque;
      Polynomial out;
      for (const auto& [ma, ca] : a)
        for (const auto& [mb, cb] : b) accumulate(out, {{times(ma, mb, 1), ca * cb}}, 1);
      return out;
    }
    case NodeOp::divide: {
      const Polynomial a = of(node.a);
      const Polynomial& b = of(node.b);
      if (b.size() != 1) {
        // A quotient by a sum: the divisor becomes an atom, so that x / s + y / s still merges.
        Polynomial out;
        for (const auto& [ma, ca] : a) out[times(ma, Monomial{{node.b, 1}}, -1)] += ca;
        return out;
      }
      Polynomial out;
      for (const auto& [ma, ca] : a) out[times(ma, b.begin()->first, -1)] += ca / b.begin()->second;
      return out;
    }
    case NodeOp::power: {
      const Polynomial& a = of(node.a);
      if (a.size() != 1) return opaque;
      Monomial raised;
      for (const auto& [atom, power] : a.begin()->first) raised.emplace_back(atom, power * node.exponent);
      return {{raised, std::pow(a.begin()->second, node.exponent)}};
    }
    default:
      return opaque;
  }
}

NumberShape PolynomialBuilder::shape(NodeId id) {
  const Polynomial& p = of(id);
  NumberShape result;
  if (p.empty()) return result;
  result.scale = p.begin()->second;
  for (const auto& [monomial, coefficient] : p) {
    const double ratio = coefficient / result.scale;
    char bytes[sizeof ratio];
    std::memcpy(bytes, &ratio, sizeof ratio);
    result.key.append(bytes, sizeof bytes);
    for (const auto& [atom, power] : monomial) result.key += std::to_string(atom) + "^" + std::to_string(power) + ",";
    result.key += ';';
  }
  return result;
}

namespace {

// Compiles atoms on demand; each gets one register.
class Compiler {
 public:
  Compiler(const Trace& trace, PolynomialBuilder& builder) : trace_(trace), builder_(builder) {}

  Program compile(NodeId id) {
    collect(id);
    program_.registers = static_cast<std::uint32_t>(program_.leaves.size());
    for (std::uint32_t i = 0; i < program_.leaves.size(); ++i) leaf_register_[program_.leaves[i]] = i;
    program_.result = expression(id);
    return std::move(program_);
  }

 private:
  // Finds the leaves first, since they own the lowest registers.
  void collect(NodeId id) {
    if (!seen_.emplace(id, true).second) return;
    const TraceNode& node = trace_.node(id);
    if (!node.uncertain) return;
    switch (node.op) {
      case NodeOp::leaf:
        if (leaf_register_.emplace(node.a, 0).second) program_.leaves.push_back(node.a);
        return;
      case NodeOp::sum:
        for (std::uint32_t i = 0; i < node.b; ++i) collect(trace_.arguments(node)[i]);
        return;
      case NodeOp::subtract:
      case NodeOp::multiply:
      case NodeOp::divide:
      case NodeOp::minimum:
      case NodeOp::maximum:
        collect(node.a);
        collect(node.b);
        return;
      default:
        collect(node.a);
        return;
    }
  }

  std::uint32_t atom(NodeId id) {
    const TraceNode& node = trace_.node(id);
    if (node.op == NodeOp::leaf && node.uncertain) return leaf_register_[node.a];
    const auto found = registers_.find(id);
    if (found != registers_.end()) return found->second;
    // An atom that is itself a sum (a divisor) is compiled from its polynomial; others from their operation.
    std::uint32_t made = 0;
    const Polynomial& own = builder_.of(id);
    const bool opaque = own.size() == 1 && own.begin()->first == Monomial{{id, 1}};
    if (!opaque) {
      made = expression(id);
    } else {
      Instruction step;
      if (node.op == NodeOp::sum) {
        // Too many terms to multiply out: add the parts one by one.
        step.op = Instruction::Op::term;
        step.coefficient = 0;
        step.to = made = program_.registers++;
        program_.code.push_back(step);
        for (std::uint32_t i = 0; i < node.b; ++i) {
          Instruction add;
          add.op = Instruction::Op::sum;
          add.to = made;
          add.a = made;
          add.b = expression(trace_.arguments(node)[i]);
          program_.code.push_back(add);
        }
      } else {
        step.op = operation(node.op);
        step.a = expression(node.a);
        if (node.op == NodeOp::multiply || node.op == NodeOp::divide || node.op == NodeOp::minimum ||
            node.op == NodeOp::maximum || node.op == NodeOp::subtract)
          step.b = expression(node.b);
        step.exponent = node.exponent;
        step.to = made = program_.registers++;
        program_.code.push_back(step);
      }
    }
    registers_.emplace(id, made);
    return made;
  }

  static Instruction::Op operation(NodeOp op) {
    switch (op) {
      case NodeOp::subtract:
        return Instruction::Op::subtract;
      case NodeOp::multiply:
        return Instruction::Op::multiply;
      case NodeOp::divide:
        return Instruction::Op::divide;
      case NodeOp::power:
        return Instruction::Op::power;
      case NodeOp::minimum:
        return Instruction::Op::minimum;
      case NodeOp::maximum:
        return Instruction::Op::maximum;
      case NodeOp::ceiling:
        return Instruction::Op::ceiling;
      case NodeOp::floor:
        return Instruction::Op::floor;
      case NodeOp::logarithm:
        return Instruction::Op::logarithm;
      case NodeOp::exponential:
        return Instruction::Op::exponential;
      default:
        return Instruction::Op::copy;
    }
  }

  std::uint32_t expression(NodeId id) {
    const Polynomial terms = builder_.of(id);
    if (terms.size() == 1) {
      const auto& [monomial, coefficient] = *terms.begin();
      if (coefficient == 1 && monomial.size() == 1 && monomial[0].second == 1) return atom(monomial[0].first);
    }
    // What all terms share (a price, a rate) is multiplied once, after the sum.
    const Monomial shared = terms.size() > 1 ? common(terms) : Monomial{};
    if (!shared.empty()) {
      Polynomial rest;
      for (const auto& [monomial, coefficient] : terms) rest[times(monomial, shared, -1)] = coefficient;
      Instruction product;
      product.op = Instruction::Op::add_term;
      product.factors.emplace_back(sum_of(rest), 1);
      for (const auto& [part, power] : shared) product.factors.emplace_back(atom(part), power);
      return emit({std::move(product)});
    }
    return sum_of(terms);
  }

  static Monomial common(const Polynomial& terms) {
    Monomial shared = terms.begin()->first;
    for (const auto& [monomial, coefficient] : terms) {
      Monomial kept;
      for (const auto& [part, power] : shared)
        for (const auto& [other, other_power] : monomial)
          if (other == part && (power > 0) == (other_power > 0))
            kept.emplace_back(part, power > 0 ? std::min(power, other_power) : std::max(power, other_power));
      shared = std::move(kept);
    }
    return shared;
  }

  std::uint32_t sum_of(const Polynomial& terms) {
    std::vector<Instruction> adds;
    for (const auto& [monomial, coefficient] : terms) {
      Instruction add;
      add.op = Instruction::Op::add_term;
      add.coefficient = coefficient;
      for (const auto& [part, power] : monomial) add.factors.emplace_back(atom(part), power);
      adds.push_back(std::move(add));
    }
    return emit(std::move(adds));
  }

  std::uint32_t emit(std::vector<Instruction> adds) {
    const std::uint32_t to = program_.registers++;
    if (adds.empty()) adds.emplace_back().coefficient = 0;
    adds.front().op = Instruction::Op::term;
    for (Instruction& add : adds) {
      add.to = to;
      program_.code.push_back(std::move(add));
    }
    return to;
  }

  const Trace& trace_;
  PolynomialBuilder& builder_;
  Program program_;
  std::unordered_map<NodeId, bool> seen_;
  std::unordered_map<NodeId, std::uint32_t> registers_;
  std::unordered_map<std::uint32_t, std::uint32_t> leaf_register_;
};

}  // namespace

Program compile(const Trace& trace, PolynomialBuilder& builder, NodeId id) {
  return Compiler(trace, builder).compile(id);
}

namespace {

// coefficient x product of powers, into `product`. Inlined, so that every clone of run() has it in its own vectors.
template <class At>
[[gnu::always_inline]] inline void term_into(const Instruction& step, const At& at, double* product,
                                             std::uint32_t count) {
  if (step.factors.empty()) std::fill_n(product, count, step.coefficient);
  for (std::size_t k = 0; k < step.factors.size(); ++k) {
    const double* f = at(step.factors[k].first);
    const int power = step.factors[k].second;
    const double c = step.coefficient;
    if (k == 0 && power == 1)
      for (std::uint32_t i = 0; i < count; ++i) product[i] = c * f[i];
    else if (k == 0 && power == -1)
      for (std::uint32_t i = 0; i < count; ++i) product[i] = c / f[i];
    else if (k == 0)
      for (std::uint32_t i = 0; i < count; ++i) product[i] = c * raise(f[i], power);
    else if (power == 1)
      for (std::uint32_t i = 0; i < count; ++i) product[i] *= f[i];
    else if (power == -1)
      for (std::uint32_t i = 0; i < count; ++i) product[i] /= f[i];
    else
      for (std::uint32_t i = 0; i < count; ++i) product[i] *= raise(f[i], power);
  }
}

// A term written, or added to what is there through `scratch`. Inlined likewise.
template <class At>
[[gnu::always_inline]] inline void term(const Instruction& step, const At& at, double* to, double* scratch,
                                        std::uint32_t count) {
  if (step.op == Instruction::Op::term) return term_into(step, at, to, count);
  if (step.factors.size() == 1 && step.factors[0].second == 1) {
    const double* f = at(step.factors[0].first);
    for (std::uint32_t i = 0; i < count; ++i) to[i] += step.coefficient * f[i];
    return;
  }
  term_into(step, at, scratch, count);
  for (std::uint32_t i = 0; i < count; ++i) to[i] += scratch[i];
}

}  // namespace

FLOPTALLY_CLONES const double* run(const Program& program, const double* const* inputs, std::uint32_t count,
                                   std::vector<double>& scratch) {
  const std::size_t leaves = program.leaves.size();
  scratch.resize((program.registers - leaves + 1) * count);
  double* const storage = scratch.data();
  double* const one_term = storage + (program.registers - leaves) * count;
  const auto at = [&](std::uint32_t r) -> const double* {
    return r < leaves ? inputs[r] : storage + (r - leaves) * count;
  };
  using Op = Instruction::Op;
  for (const Instruction& step : program.code) {
    double* to = storage + (step.to - leaves) * count;
    const double* a = at(step.a);
    const double* b = at(step.b);
    switch (step.op) {
      case Op::term:
      case Op::add_term:
        term(step, at, to, one_term, count);
        break;
      case Op::copy:
        std::copy_n(a, count, to);
        break;
      case Op::sum:
        for (std::uint32_t i = 0; i < count; ++i) to[i] = a[i] + b[i];
        break;
      case Op::subtract:
        for (std::uint32_t i = 0; i < count; ++i) to[i] = a[i] - b[i];
        break;
      case Op::multiply:
        for (std::uint32_t i = 0; i < count; ++i) to[i] = a[i] * b[i];
        break;
      case Op::divide:
        for (std::uint32_t i = 0; i < count; ++i) to[i] = a[i] / b[i];
        break;
      case Op::power:
        for (std::uint32_t i = 0; i < count; ++i) to[i] = raise(a[i], step.exponent);
        break;
      case Op::minimum:
        for (std::uint32_t i = 0; i < count; ++i) to[i] = std::min(a[i], b[i]);
        break;
      case Op::maximum:
        for (std::uint32_t i = 0; i < count; ++i) to[i] = std::max(a[i], b[i]);
        break;
      case Op::ceiling:
        for (std::uint32_t i = 0; i < count; ++i) to[i] = std::ceil(a[i]);
        break;
      case Op::floor:
        for (std::uint32_t i = 0; i < count; ++i) to[i] = std::floor(a[i]);
        break;
      case Op::logarithm:
        portable_log(a, to, count);
        break;
      case Op::exponential:
        portable_exp(a, to, count);
        break;
    }
  }
  return at(program.result);
}

}  // namespace floptally
