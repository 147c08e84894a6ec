#include <cctype>

#include "plan/expression.h"
#include "quantity/unit.h"

namespace floptally {
namespace {

constexpr int kDeepest = 100;  // brackets inside brackets

bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (static_cast<unsigned char>(c) & 0x80) != 0;
}
bool name_char(char c) { return letter(c) || digit(c); }

class ExpressionParser {
 public:
  ExpressionParser(std::string_view text, Span at, Suffix suffix) : text_(text), at_(at), suffix_(suffix) {
    exact_place_ = at && at.end - at.begin == text.size();
  }

  Result<Expression> parse() {
    Expression result;
    result.place = at_;
    result.text = std::string(text_);
    blanks();
    const int root = sum();
    if (problems_.empty()) {
      blanks();
      if (pos_ < text_.size())
        fail("expected an operator or the end, found '" + std::string(text_.substr(pos_, 12)) + "'");
    }
    if (!problems_.empty()) return std::move(problems_);
    result.nodes = std::move(nodes_);
    result.root = root;
    return result;
  }

 private:
  void blanks() {
    while (pos_ < text_.size() && (text_[pos_] == ' ' || text_[pos_] == '\t' || text_[pos_] == '\n')) ++pos_;
  }
  [[nodiscard]] char peek(std::size_t ahead = 0) const {
    return pos_ + ahead < text_.size() ? text_[pos_ + ahead] : '\0';
  }
  [[nodiscard]] Span span(std::size_t begin, std::size_t end) const {
    if (!exact_place_) return at_;
    return {at_.source, at_.begin + begin, at_.begin + std::max(begin + 1, end)};
  }
  int fail(std::string message, std::string help = {}, std::size_t begin = std::string_view::npos,
           std::size_t end = 0) {
    if (!problems_.empty()) return -1;
    if (begin == std::string_view::npos) begin = end = std::min(pos_, text_.empty() ? 0 : text_.size() - 1);
    problems_.push_back(error("bad-expression", std::move(message), span(begin, end), std::move(help)));
    return -1;
  }
  int add(ExprNode node, std::size_t begin) {
    node.place = span(begin, pos_);
    nodes_.push_back(std::move(node));
    return static_cast<int>(nodes_.size() - 1);
  }
  int binary(ExprOp op, int a, int b, std::size_t begin) {
    ExprNode node;
    node.op = op;
    node.a = a;
    node.b = b;
    return a < 0 || b < 0 ? -1 : add(std::move(node), begin);
  }

  int sum() {
    const std::size_t begin = pos_;
    if (++depth_ > kDeepest) return fail("brackets are nested too deep");
    int left = product();
    while (left >= 0) {
      blanks();
      const char c = peek();
      if ((c != '+' && c != '-') || peek(1) == '-') break;
      ++pos_;
      left = binary(c == '+' ? ExprOp::add : ExprOp::subtract, left, product(), begin);
    }
    --depth_;
    return left;
  }

  int product() {
    blanks();
    const std::size_t begin = pos_;
    int left = power();
    while (left >= 0) {
      blanks();
      const char c = peek();
      if (c == '*' && peek(1) != '*') {
        ++pos_;
        left = binary(ExprOp::multiply, left, power(), begin);
      } else if (c == '/') {
        ++pos_;
        left = binary(ExprOp::divide, left, power(), begin);
      } else {
        break;
      }
    }
    return left;
  }

  int power() {
    blanks();
    const std::size_t begin = pos_;
    const int base = unary();
    if (base < 0) return base;
    blanks();
    if (peek() == '^')
      ++pos_;
    else if (peek() == '*' && peek(1) == '*')
      pos_ += 2;
    else
      return base;
    blanks();
    return binary(ExprOp::power, base, unary(), begin);
  }

  int unary() {
    blanks();
    const std::size_t begin = pos_;
    if (peek() == '-') {
      ++pos_;
      ExprNode node;
      node.op = ExprOp::negate;
      if (++depth_ > kDeepest) return fail("too many signs");
      node.a = unary();
      --depth_;
      return node.a < 0 ? -1 : add(std::move(node), begin);
    }
    return postfix();
  }

  int postfix() {
    const std::size_t begin = pos_;
    int base = primary();
    while (base >= 0 && peek() == '[') base = slice(base, begin);
    return base;
  }

  int slice(int list, std::size_t begin) {
    ++pos_;
    ExprNode node;
    node.op = ExprOp::slice;
    node.list = list;
    int* parts[] = {&node.a, &node.b, &node.c};
    std::size_t part = 0;
    bool colon = false;
    while (true) {
      blanks();
      const char c = peek();
      if (c == ']') break;
      if (c == ':') {
        colon = true;
        ++pos_;
        if (++part > 2) return fail("a slice has at most three parts", "D[from:to:step]");
        continue;
      }
      if (pos_ >= text_.size()) return fail("this slice is not closed", "write ']'", begin, text_.size());
      if (*parts[part] >= 0) return fail("expected ':' or ']'");
      *parts[part] = sum();
      if (*parts[part] < 0) return -1;
    }
    ++pos_;
    if (!colon) {
      node.op = ExprOp::index;
      if (node.a < 0) return fail("which element?", "D[0] is the first, D[-6:] the last six", begin, pos_);
    }
    return add(std::move(node), begin);
  }

  int primary() {
    blanks();
    const std::size_t begin = pos_;
    const char c = peek();
    if (c == '(') {
      ++pos_;
      const int inner = sum();
      if (inner < 0) return -1;
      blanks();
      if (peek() != ')') return fail("this bracket is not closed", "write ')'", begin, begin + 1);
      ++pos_;
      return inner;
    }
    if (c == '[') return list();
    if (digit(c) || c == '$' || (c == '.' && digit(peek(1)))) return amount();
    if (letter(c)) return name();
    if (c == '\'' || c == '"') return quoted();
    if (pos_ >= text_.size())
      return fail("a value is missing at the end", {}, text_.empty() ? 0 : text_.size() - 1, text_.size());
    return fail("expected a number, a name or a list, found '" + std::string(1, c) + "'");
  }

  int quoted() {
    const std::size_t begin = pos_;
    const std::size_t end = text_.find(text_[pos_], pos_ + 1);
    if (end == std::string_view::npos) return fail("this quote is not closed", {}, begin, begin + 1);
    ExprNode node;
    node.op = ExprOp::name;
    node.name = std::string(text_.substr(begin + 1, end - begin - 1));
    node.amount.bare = true;  // marks a word that is never a name
    pos_ = end + 1;
    return add(std::move(node), begin);
  }

  int list() {
    const std::size_t begin = pos_++;
    ExprNode node;
    node.op = ExprOp::list;
    blanks();
    while (peek() != ']') {
      const int item = sum();
      if (item < 0) return -1;
      node.items.push_back(item);
      blanks();
      if (peek() == ',') {
        ++pos_;
        blanks();
      } else if (peek() != ']') {
        return fail(pos_ >= text_.size() ? "this list is not closed" : "expected ',' or ']'", {},
                    pos_ >= text_.size() ? begin : pos_, pos_ + 1);
      }
    }
    ++pos_;
    return add(std::move(node), begin);
  }

  int name() {
    const std::size_t begin = pos_;
    while (pos_ < text_.size() &&
           (name_char(text_[pos_]) || (text_[pos_] == '.' && pos_ + 1 < text_.size() && letter(text_[pos_ + 1]))))
      ++pos_;
    std::string word(text_.substr(begin, pos_ - begin));
    if (word == "each") {
      blanks();
      const std::size_t start = pos_;
      while (pos_ < text_.size() && name_char(text_[pos_])) ++pos_;
      if (start == pos_) return fail("'each' asks for a fresh draw of a name", "each lrs");
      ExprNode node;
      node.op = ExprOp::each;
      node.name = std::string(text_.substr(start, pos_ - start));
      return add(std::move(node), begin);
    }
    if (word == "range" && peek() == '(') return range(begin);
    // Words may hold '-' and '+' ("per-layer", "Adam+PS") where they are not arithmetic: no blanks around.
    ExprNode node;
    node.op = ExprOp::name;
    node.name = std::move(word);
    return add(std::move(node), begin);
  }

  int range(std::size_t begin) {
    ++pos_;
    ExprNode node;
    node.op = ExprOp::range;
    int* parts[] = {&node.a, &node.b, &node.c};
    std::size_t part = 0;
    while (true) {
      if (part == 3) return fail("range takes at most three numbers", "range(from, to, step)");
      *parts[part] = sum();
      if (*parts[part++] < 0) return -1;
      blanks();
      if (peek() == ')') break;
      if (peek() != ',') return fail("expected ',' or ')'");
      ++pos_;
    }
    ++pos_;
    return add(std::move(node), begin);
  }

  // A quantity: as much text as the quantity grammar may take, handed over whole so that its errors are its own.
  int amount() {
    const std::size_t begin = pos_;
    number_token();
    bool more = true;
    while (more) {
      const std::size_t before = pos_;
      more = amount_part();
      if (!more) pos_ = before;
    }
    std::size_t end = pos_;
    while (end > begin && text_[end - 1] == ' ') --end;
    const std::string_view words = text_.substr(begin, end - begin);
    Result<Amount> amount = parse_amount(words, span(begin, end), suffix_);
    if (!amount) {
      problems_ = amount.take_problems();
      return -1;
    }
    ExprNode node;
    node.amount = std::move(*amount);
    pos_ = end;
    return add(std::move(node), begin);
  }

  void number_token() {
    if (peek() == '$') ++pos_;
    const NumberText number = read_number(text_.substr(pos_));
    pos_ = std::min(pos_ + std::max<std::size_t>(number.length, 1), text_.size());
    if (peek() == '%') ++pos_;
    floor_sign();
  }

  // '+' is a floor where nothing follows that could be added.
  void floor_sign() {
    if (peek() != '+' || peek(1) == '-') return;
    std::size_t next = pos_ + 1;
    while (next < text_.size() && text_[next] == ' ') ++next;
    const char c = next < text_.size() ? text_[next] : '\0';
    const bool adjacent_unit = next > pos_ + 1 && letter(c);
    if (c == '\0' || c == ']' || c == ')' || c == ',' || c == '*' || c == '/' || adjacent_unit) ++pos_;
  }

  bool keyword(std::string_view word) {
    if (text_.substr(pos_, word.size()) != word) return false;
    const char after = peek(word.size());
    if (word[0] != '+' && name_char(after)) return false;
    pos_ += word.size();
    blanks();
    return true;
  }

  // One more piece after the number: a range, an alternative, a spread, a unit.
  bool amount_part() {
    blanks();
    if (keyword("to") || keyword("or") || keyword("+-") || keyword("\xC2\xB1")) {
      if (peek() == '-') ++pos_;
      if (!digit(peek()) && peek() != '.' && peek() != '$') return true;  // the quantity grammar says what is wrong
      number_token();
      return true;
    }
    if (peek() == '(') {
      const std::size_t close = text_.find(')', pos_);
      if (close == std::string_view::npos) return false;
      pos_ = close + 1;
      return true;
    }
    if (letter(peek()) || peek() == '%') {
      const std::size_t begin = pos_;
      while (pos_ < text_.size() && (name_char(text_[pos_]) || text_[pos_] == '/' || text_[pos_] == '%' ||
                                     text_[pos_] == '-' || text_[pos_] == '^'))
        ++pos_;
      if (text_.substr(begin, pos_ - begin) == "each") return false;
      return true;
    }
    return peek() == '/' && letter(peek(1)) && unit_after_slash();
  }

  // "$3/GPU-hour": the currency stands in front.
  bool unit_after_slash() {
    ++pos_;
    while (pos_ < text_.size() && (name_char(text_[pos_]) || text_[pos_] == '-' || text_[pos_] == '/')) ++pos_;
    return true;
  }

  std::string_view text_;
  Span at_;
  Suffix suffix_;
  bool exact_place_ = false;
  std::size_t pos_ = 0;
  int depth_ = 0;
  std::vector<ExprNode> nodes_;
  Diagnostics problems_;
};

}  // namespace

Result<Expression> parse_expression(std::string_view text, Span at, Suffix suffix) {
  return ExpressionParser(text, at, suffix).parse();
}

Result<Expression> parse_expression(const Node& node, Suffix suffix) {
  if (node.is_scalar()) {
    if (node.is_null()) return error("wrong-type", "a value was expected, found nothing", node.span());
    Span at = node.span();
    if (node.quoted() && at.end - at.begin == node.text().size() + 2) ++at.begin, --at.end;
    return parse_expression(node.text(), at, suffix);
  }
  if (!node.is_sequence())
    return error("wrong-type", "expected a value or a list, found " + std::string(name_of(node.kind())), node.span());
  Expression result;
  result.place = node.span();
  result.text = std::string(
      std::string_view(node.span().source->text).substr(node.span().begin, node.span().end - node.span().begin));
  ExprNode list;
  list.op = ExprOp::list;
  list.place = node.span();
  Diagnostics problems;
  for (const Node child : node) {
    // Words with signs in them ("Adam+PS", "per-layer") are words, not arithmetic, where they stand as list elements.
    const bool scalar = child.is_scalar() && !child.is_null();
    const bool word = scalar && !child.text().empty() && letter(child.text()[0]) &&
                      child.text().find_first_of(" *[(") == std::string_view::npos;
    if (word || (scalar && child.quoted())) {
      ExprNode node_word;
      node_word.op = ExprOp::name;
      node_word.name = std::string(child.text());
      node_word.amount.bare = child.quoted();
      node_word.place = child.span();
      list.items.push_back(static_cast<int>(result.nodes.size()));
      result.nodes.push_back(std::move(node_word));
      continue;
    }
    if (!scalar) {
      problems.push_back(
          error("wrong-type", "expected a value, found " + std::string(name_of(child.kind())), child.span()));
      continue;
    }
    Result<Expression> inner = parse_expression(child, suffix);
    if (!inner) {
      for (Diagnostic& each : inner.take_problems()) problems.push_back(std::move(each));
      continue;
    }
    const int offset = static_cast<int>(result.nodes.size());
    for (ExprNode& each : inner->nodes) {
      for (int* link : {&each.a, &each.b, &each.c, &each.list})
        if (*link >= 0) *link += offset;
      for (int& item : each.items) item += offset;
      result.nodes.push_back(std::move(each));
    }
    list.items.push_back(inner->root + offset);
  }
  if (!problems.empty()) return problems;
  result.root = static_cast<int>(result.nodes.size());
  result.nodes.push_back(std::move(list));
  return result;
}

}  // namespace floptally
