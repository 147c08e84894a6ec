#include "network/formats/stablehlo/text.h"

#include <algorithm>

namespace floptally::stablehlo {
namespace {

constexpr int kMostRegions = 48;  // inside one another

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '.' ||
         c == '$' || c == '-';
}

Dtype dtype_of(std::string_view name) {
  if (name == "f32") return Dtype::float32;
  if (name == "bf16") return Dtype::bfloat16;
  if (name == "f16") return Dtype::float16;
  if (name == "f64") return Dtype::float64;
  if (name == "i1") return Dtype::boolean;
  if (name == "i8" || name == "si8") return Dtype::int8;
  if (name == "ui8") return Dtype::uint8;
  if (name == "i16") return Dtype::int16;
  if (name == "ui16") return Dtype::uint16;
  if (name == "i32") return Dtype::int32;
  if (name == "ui32") return Dtype::uint32;
  if (name == "i64") return Dtype::int64;
  if (name == "ui64") return Dtype::uint64;
  if (name == "i4" || name == "ui4") return Dtype::int4;
  if (name.substr(0, 6) == "f8E4M3") return Dtype::float8_e4m3;
  if (name.substr(0, 6) == "f8E5M2") return Dtype::float8_e5m2;
  if (name == "complex<f32>") return Dtype::complex64;
  if (name == "complex<f64>") return Dtype::complex128;
  return Dtype::unspecified;
}

// Where `wanted` stands in `text` outside quotes and brackets, from `at` on; npos if nowhere.
std::size_t find_outside(std::string_view text, std::string_view wanted, std::size_t at = 0) {
  int depth = 0;
  bool quoted = false;
  for (; at < text.size(); ++at) {
    const char c = text[at];
    if (quoted) {
      if (c == '\\')
        ++at;
      else if (c == '"')
        quoted = false;
      continue;
    }
    if (depth == 0 && text.substr(at, wanted.size()) == wanted) return at;
    if (c == '"')
      quoted = true;
    else if (c == '(' || c == '[' || c == '{' || c == '<')
      ++depth;
    else if ((c == ')' || c == ']' || c == '}' || (c == '>' && (at == 0 || text[at - 1] != '-'))) && depth > 0)
      --depth;
  }
  return std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// Braces opened minus closed, outside quotes.
int balance(std::string_view line) {
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (quoted) {
      if (line[i] == '\\')
        ++i;
      else if (line[i] == '"')
        quoted = false;
    } else if (line[i] == '"') {
      quoted = true;
    } else if (line[i] == '{') {
      ++depth;
    } else if (line[i] == '}') {
      --depth;
    }
  }
  return depth;
}

// Where a '}' stands that nothing in the line opened, other than as its first character; npos if nowhere.
std::size_t find_close(std::string_view line) {
  if (line.find('}', 1) == std::string_view::npos) return std::string_view::npos;
  int depth = 0;
  bool quoted = false;
  for (std::size_t i = line.front() == '}' ? 1 : 0; i < line.size(); ++i) {
    if (quoted && line[i] == '\\') {
      ++i;
    } else if (line[i] == '"') {
      quoted = !quoted;
    } else if (!quoted && line[i] == '{') {
      ++depth;
    } else if (!quoted && line[i] == '}' && --depth < 0) {
      return i;
    }
  }
  return std::string_view::npos;
}

void read_types(std::string_view text, std::vector<TensorType>& types) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t start = text.find("tensor<", at);
    if (start == std::string_view::npos) return;
    at = start;
    types.push_back(read_type(text, at));
  }
}

// "... : (operand types) -> result types", or "... : type" for operations whose operands and results agree.
void read_signature(std::string_view text, Operation& op) {
  const std::size_t arrow = find_outside(text, "->");
  if (arrow == std::string_view::npos) {
    read_types(text, op.types);
    op.operand_types = op.types;
    if (op.op != "stablehlo.while" && op.types.size() > 1) op.types.erase(op.types.begin(), op.types.end() - 1);
    return;
  }
  read_types(text.substr(0, arrow), op.operand_types);
  read_types(text.substr(arrow + 2), op.types);
}

void read_operands(std::string_view text, Operation& op) {
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '"') {
      at = std::min(text.find('"', at + 1), text.size());
      continue;
    }
    if (text[at] != '%') continue;
    std::size_t end = at + 1;
    while (end < text.size() && (is_word(text[end]) || text[end] == '#')) ++end;
    op.operands.push_back(text.substr(at, end - at));
    at = end;
  }
}

class Reader {
 public:
  Reader(const Source& source, Module& module) : source_(source), text_(source.text), module_(module) {}

  Result<bool> run() {
    std::string_view line;
    while (next(line)) {
      if (line.substr(0, 8) == "sdy.mesh") meshes(line);
      const std::size_t at = line.find("func.func");
      if (at == std::string_view::npos) continue;
      if (!function(line.substr(at))) return std::move(problems_);
    }
    if (module_.functions.empty())
      return error("stablehlo-malformed", "the text has no function", Span{&source_, 0, 0},
                   "expected StableHLO as JAX prints it");
    return true;
  }

 private:
  // The line up to the '}' that closes the block it stands in, which begins the next line.
  std::string_view whole(std::string_view line) {
    const std::size_t close = find_close(line);
    if (close == std::string_view::npos) return line;
    at_ = static_cast<std::size_t>(line.data() - text_.data()) + close;
    return trimmed(line.substr(0, close));
  }

  bool next(std::string_view& line) {
    while (at_ < text_.size()) {
      offset_ = at_;
      const std::size_t end = std::min(text_.find('\n', at_), text_.size());
      line = trimmed(text_.substr(at_, end - at_));
      at_ = end + 1;
      line = whole(line);
      if (!line.empty() && line.substr(0, 2) != "//" && line.substr(0, 4) != "#loc") return true;
    }
    return false;
  }

  bool fail(const std::string& what) {
    problems_.push_back(error("stablehlo-malformed", what, Span{&source_, offset_, offset_ + 1}));
    return false;
  }

  // sdy.mesh @mesh = <["x"=2, "y"=4]>
  void meshes(std::string_view line) {
    for (std::size_t at = line.find('"'); at != std::string_view::npos;) {
      const std::size_t close = line.find('"', at + 1);
      if (close == std::string_view::npos || close + 1 >= line.size() || line[close + 1] != '=') return;
      std::int64_t size = 0;
      std::size_t i = close + 2;
      for (; i < line.size() && line[i] >= '0' && line[i] <= '9' && size < 1'000'000'000; ++i)
        size = size * 10 + (line[i] - '0');
      module_.axes.emplace(line.substr(at + 1, close - at - 1), size);
      at = line.find('"', i);
    }
  }

  // The line and those after it, up to the one where `done` says that the statement is whole: MLIR may break lines
  // anywhere.
  template <class Done>
  std::string_view joined(std::string_view line, Done done) {
    constexpr int kMostLines = 1000;
    for (int i = 0; i < kMostLines && at_ < text_.size() && !done(line); ++i) {
      const std::size_t begin = static_cast<std::size_t>(line.data() - text_.data());
      const std::size_t end = std::min(text_.find('\n', at_), text_.size());
      line = trimmed(text_.substr(begin, end - begin));
      at_ = end + 1;
    }
    return whole(line);
  }

  void arguments(std::string_view list, std::vector<Argument>& out) {
    while (!list.empty()) {
      const std::size_t comma = find_outside(list, ",");
      const std::string_view one = trimmed(list.substr(0, comma));
      list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
      Argument a;
      std::size_t colon = one.find(':');
      if (colon == std::string_view::npos) continue;
      a.name = trimmed(one.substr(0, colon));
      a.type = read_type(one, colon);
      for (std::string_view key : {"jax.arg_info = \"", "loc(\"", "mhlo.name = \""}) {
        const std::size_t label = one.find(key);
        if (label == std::string_view::npos) continue;
        const std::size_t begin = label + key.size();
        a.label = one.substr(begin, std::min(one.find('"', begin), one.size()) - begin);
      }
      out.push_back(std::move(a));
    }
  }

  // The '{' that opens a function's body, after its arguments.
  static std::size_t body_brace(std::string_view line, std::size_t after) {
    constexpr std::string_view kAttributes = "attributes";
    for (std::size_t at = find_outside(line, "{", after + 1); at != std::string_view::npos;
         at = find_outside(line, "{", at + 1)) {
      if (!trimmed(line.substr(0, at)).ends_with(kAttributes)) return at;
      at = std::min(find_outside(line, "}", at + 1), line.size());
    }
    return std::string_view::npos;
  }

  bool function(std::string_view line) {
    Function f;
    f.offset = offset_;
    line = joined(line, [](std::string_view l) {
      const std::size_t open = l.find('(');
      return open == std::string_view::npos || find_outside(l, ")", open + 1) != std::string_view::npos;
    });
    const std::size_t at = line.find('@'), open = line.find('(');
    if (at == std::string_view::npos || open == std::string_view::npos || open < at)
      return fail("a function has no name or no arguments");
    f.name = line.substr(at, open - at);
    const std::size_t close = find_outside(line, ")", open + 1);
    arguments(line.substr(open + 1, close == std::string_view::npos ? 0 : close - open - 1), f.arguments);
    const std::size_t body = close == std::string_view::npos ? close : body_brace(line, close);
    const std::size_t ahead = text_.find_first_not_of(" \t\r\n", std::min(at_, text_.size()));
    if (body != std::string_view::npos)
      at_ = static_cast<std::size_t>(line.data() - text_.data()) + body + 1;
    else if (ahead != std::string_view::npos && text_[ahead] == '{')
      at_ = ahead + 1;
    else
      return true;  // a declaration
    if (!block(f.body, 0)) return false;
    const auto [where, fresh] = module_.functions.emplace(f.name, std::move(f));
    if (!fresh) return fail("two functions have one name");
    module_.order.push_back(&where->second);
    return true;
  }

  // Operations up to the '}' that closes the block; `tail` gets what follows it on its line.
  bool block(std::vector<Operation>& body, int depth) {
    if (depth > kMostRegions) {
      problems_.push_back(
          error("nested-too-deep", "regions are nested more than 48 deep", Span{&source_, offset_, offset_ + 1}));
      return false;
    }
    std::string_view line;
    while (next(line)) {
      if (line.front() == '}') {
        tail_ = trimmed(line.substr(1));
        return true;
      }
      if (line.front() == '^') {  // a block's arguments
        labels_.clear();
        Operation names;
        read_operands(line, names);
        labels_ = names.operands;
        continue;
      }
      if (!operation(line, body, depth)) return false;
    }
    return fail("the text ends inside a block");
  }

  bool operation(std::string_view line, std::vector<Operation>& body, int depth) {
    if (line.substr(0, 7) == "reducer" || line.substr(0, 4) == "cond") {  // the region of the operation above
      if (body.empty()) return fail("a region without an operation");
      return regions(line, body.back(), depth);
    }
    Operation op;
    op.offset = offset_;
    if (line.front() == '%' && last_colon(line) == std::string_view::npos && line.back() != '{' &&
        line.find("stablehlo.while") == std::string_view::npos)
      line = joined(line, [](std::string_view l) {
        const std::size_t colon = last_colon(l);
        return l.back() == '{' ? l.ends_with("({") || l.ends_with(") {") : colon != std::string_view::npos;
      });
    std::string_view rest = line;
    if (rest.front() == '%') {
      const std::size_t equals = rest.find('=');
      if (equals == std::string_view::npos) return fail("a line that is no operation");
      std::string_view names = rest.substr(0, equals);
      rest = trimmed(rest.substr(equals + 1));
      const std::size_t colon = names.find(':');
      op.results.push_back(trimmed(names.substr(0, std::min(colon, names.find(',')))));
    }
    if (!rest.empty() && rest.front() == '"') rest.remove_prefix(1);
    std::size_t end = 0;
    while (end < rest.size() && is_word(rest[end])) ++end;
    op.op = rest.substr(0, end);
    rest = rest.substr(end);
    if (!rest.empty() && rest.front() == '"') rest.remove_prefix(1);
    const bool opens = balance(rest) > 0;
    const std::size_t colon = opens && op.op != "stablehlo.while" ? std::string_view::npos : last_colon(rest);
    op.text = rest.substr(0, colon);
    if (op.op == "sdy.manual_computation") {  // (operands) shardings manual_axes={..} (what one device is given) {
      const std::size_t close = std::min(op.text.find(')'), op.text.size()), last = op.text.rfind(')');
      std::size_t inner = op.text.rfind("(%");
      if (last != std::string_view::npos && inner != std::string_view::npos && inner > close && inner < last)
        arguments(op.text.substr(inner + 1, last - inner - 1), op.body_arguments);
      read_operands(op.text.substr(0, close), op);
    } else {
      read_operands(op.text, op);
    }
    if (colon != std::string_view::npos) read_signature(rest.substr(colon + 1), op);
    if (opens && !regions(rest, op, depth)) return false;
    body.push_back(std::move(op));
    return true;
  }

  // The ':' before the types: the last one outside brackets.
  static std::size_t last_colon(std::string_view text) {
    std::size_t found = std::string_view::npos;
    for (std::size_t at = find_outside(text, " : "); at != std::string_view::npos;
         at = find_outside(text, " : ", at + 1))
      found = at + 1;
    return found;
  }

  // One or more blocks, the first of which was opened by `line`; the last may be followed by the operation's types.
  bool regions(std::string_view line, Operation& op, int depth) {
    std::string_view opener = line;
    do {
      Operation names;
      if (opener.substr(0, 7) == "reducer") read_operands(opener, names);
      labels_ = names.operands;
      op.regions.emplace_back();
      std::vector<Operation> inner;
      if (!block(inner, depth + 1)) return false;
      op.regions.back() = std::move(inner);
      op.region_arguments.push_back(labels_);
      opener = tail_;
    } while (!opener.empty() && opener.back() == '{');
    if (op.types.empty()) {
      const std::size_t colon =
          last_colon(" " + std::string(opener)) == std::string_view::npos ? std::string_view::npos : opener.find(':');
      if (colon != std::string_view::npos) read_signature(opener.substr(colon + 1), op);
    }
    return true;
  }

  const Source& source_;
  std::string_view text_;
  Module& module_;
  std::size_t at_ = 0, offset_ = 0;
  std::string_view tail_;
  std::vector<std::string_view> labels_;
  Diagnostics problems_;
};

}  // namespace

TensorType read_type(std::string_view text, std::size_t& at) {
  TensorType type;
  const std::size_t start = text.find("tensor<", at);
  if (start == std::string_view::npos) {
    at = text.size();
    return type;
  }
  std::size_t i = start + 7;
  type.tensor = true;
  while (i < text.size()) {
    if (text[i] == '?' && i + 1 < text.size() && text[i + 1] == 'x') {
      type.dims.push_back(-1);
      i += 2;
      continue;
    }
    std::size_t end = i;
    std::int64_t size = 0;
    bool fits = true;
    while (end < text.size() && text[end] >= '0' && text[end] <= '9') {
      fits = fits && !__builtin_mul_overflow(size, 10, &size) && !__builtin_add_overflow(size, text[end] - '0', &size);
      ++end;
    }
    if (end == i || end >= text.size() || text[end] != 'x') break;
    type.dims.push_back(fits ? size : -1);
    if (type.dims.size() > 32) break;
    i = end + 1;
  }
  std::size_t end = i;
  int depth = 0;
  while (end < text.size() && (depth > 0 || (text[end] != '>' && text[end] != ','))) {
    if (text[end] == '<') ++depth;
    if (text[end] == '>') --depth;
    ++end;
  }
  type.dtype = dtype_of(trimmed(text.substr(i, end - i)));
  at = std::min(end + 1, text.size());
  return type;
}

Result<bool> read_module(const Source& source, Module& module) { return Reader(source, module).run(); }

}  // namespace floptally::stablehlo
