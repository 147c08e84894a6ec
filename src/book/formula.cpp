// Formulas in words: the text of an expression, made from the expression itself so that it cannot drift from it.
#include <string>

#include "book/trace.h"
#include "quantity/print.h"

namespace floptally {
namespace {

// Higher binds tighter.
int precedence_of(NodeOp op) {
  switch (op) {
    case NodeOp::sum:
    case NodeOp::subtract:
      return 1;
    case NodeOp::multiply:
    case NodeOp::divide:
      return 2;
    case NodeOp::power:
      return 3;
    default:
      return 4;
  }
}

std::string constant_text(const TraceNode& node) {
  if (node.is_exact) return grouped(node.exact.to_string());
  return shortest(node.value);
}

bool is_unit(const TraceNode& node) { return node.op == NodeOp::constant && node.is_exact && node.exact == Integer(1); }

const char* sign_of(NodeOp op) {
  return op == NodeOp::subtract ? " - " : op == NodeOp::multiply ? " * " : op == NodeOp::divide ? " / " : nullptr;
}

const char* function_of(NodeOp op) {
  switch (op) {
    case NodeOp::minimum:
      return "min";
    case NodeOp::maximum:
      return "max";
    case NodeOp::ceiling:
      return "ceil";
    case NodeOp::floor:
      return "floor";
    case NodeOp::logarithm:
      return "log";
    case NodeOp::exponential:
      return "exp";
    default:
      return nullptr;
  }
}

// A sum of more parts than this is shown by its first and last.
constexpr std::uint32_t kParts = 8;

}  // namespace

void Trace::print(NodeId id, int precedence, bool top, std::string& out, std::vector<NodeId>* inputs) const {
  const TraceNode& node = nodes_[id];
  const auto mention = [&] {
    if (inputs == nullptr) return;
    for (const NodeId seen : *inputs)
      if (seen == id) return;
    inputs->push_back(id);
  };
  if (node.op == NodeOp::constant) {
    out += constant_text(node);
    return;
  }
  if (node.op == NodeOp::leaf || (node.op == NodeOp::named && !top)) {
    mention();
    out += node.op == NodeOp::leaf ? leaves_[node.a].name : names_[node.b].text;
    return;
  }
  if (node.op == NodeOp::named) {
    print(node.a, 0, false, out, inputs);
    return;
  }
  if ((node.op == NodeOp::multiply || node.op == NodeOp::divide) && is_unit(nodes_[node.b]))
    return print(node.a, precedence, false, out, inputs);
  const int own = precedence_of(node.op);
  const bool brackets = own < precedence;
  if (brackets) out += '(';
  if (node.op == NodeOp::sum) {
    const NodeId* parts = arguments(node);
    for (std::uint32_t i = 0; i < node.b; ++i) {
      if (i > 0) out += " + ";
      if (node.b > kParts && i == kParts - 2) {
        out += "... (" + std::to_string(node.b - kParts + 1) + " more) + ";
        i = node.b - 1;
      }
      print(parts[i], own, false, out, inputs);
    }
  } else if (const char* sign = sign_of(node.op)) {
    print(node.a, own, false, out, inputs);
    out += sign;
    print(node.b, own + 1, false, out, inputs);
  } else if (node.op == NodeOp::power) {
    print(node.a, own + 1, false, out, inputs);
    out += "^" + std::to_string(node.exponent);
  } else if (const char* function = function_of(node.op)) {
    out.append(function).append("(");
    print(node.a, 0, false, out, inputs);
    if (node.op == NodeOp::minimum || node.op == NodeOp::maximum) {
      out += ", ";
      print(node.b, 0, false, out, inputs);
    }
    out += ')';
  }
  if (brackets) out += ')';
}

std::string Trace::formula(NodeId id, std::vector<NodeId>* inputs) const {
  std::string out;
  if (nodes_[id].op == NodeOp::leaf) return out;
  print(id, 0, true, out, inputs);
  return out;
}

}  // namespace floptally
