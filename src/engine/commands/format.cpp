// floptally format NUMBER: the bits of a number in each format, the value they hold, and what is lost.
#include "numerics/format.h"

#include <cmath>
#include <cstdio>

#include "base/nearest.h"
#include "book/ledger.h"
#include "engine/command.h"
#include "numerics/posit.h"
#include "quantity/print.h"

namespace floptally {
namespace {

using numerics::Class;
using numerics::Encoded;
using numerics::NumberFormat;
using numerics::Unrounded;

constexpr std::string_view kUsual[] = {"fp64", "fp32", "tf32", "fp16", "bf16", "e4m3",
                                       "e5m2", "e3m2", "e2m3", "e2m1", "int8", "int4"};
constexpr std::size_t kLongestDecimal = 48;

// What the user asked to be shown in one format.
struct Shown {
  const NumberFormat* format = nullptr;
  std::uint64_t code = 0;
  Encoded encoded;
  double value = 0;
  std::optional<double> error;  // value shown - number given; nothing when the bits themselves were given
};

std::string hex(const NumberFormat& f, std::uint64_t code) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%0*llX", (f.bits() + 3) / 4, static_cast<unsigned long long>(code));
  return text;
}

std::string decimal(double value) {
  std::string exact = numerics::exact_decimal(value);
  if (exact.size() <= kLongestDecimal) return exact;
  if (std::fabs(value) >= 1e-4 && std::fabs(value) < 1e15) return exact.substr(0, kLongestDecimal / 2) + "...";
  return shortest(value) + "...";
}

std::string brief(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

const char* text_of(Class kind) {
  switch (kind) {
    case Class::zero:
      return "zero";
    case Class::subnormal:
      return "subnormal";
    case Class::normal:
      return "normal";
    case Class::infinite:
      return "infinity";
    case Class::nan:
      return "NaN";
  }
  return "";
}

// "(1 + 0.5) * 2^(4 * 0 + 1)", of a negative one "(-2 + 0.5) * 2^-(4 * -1 + 2 + 1)"
std::string posit_sum(const NumberFormat& f, std::uint64_t code) {
  if (code == 0) return "zero";
  const numerics::PositFields p = numerics::posit_fields(f, code);
  const double fraction = std::ldexp(static_cast<double>(p.fraction), -p.fraction_bits);
  return std::string(p.sign ? "(-2 + " : "(1 + ") + decimal(fraction) + ") * 2^" + (p.sign ? "-" : "") + "(4 * " +
         std::to_string(p.regime) + " + " + std::to_string(p.exponent) + (p.sign ? " + 1)" : ")");
}

// "(-1)^0 * 2^(128 - 127) * 1.57079637050628662109375"
std::string sum_of(const Shown& shown) {
  const NumberFormat& f = *shown.format;
  const Class kind = numerics::classify(f, shown.code);
  if (kind == Class::nan || kind == Class::infinite) return text_of(kind);
  if (f.is_integer()) return f.sign_bits != 0 ? "two's complement" : "binary";
  if (f.is_posit()) return posit_sum(f, shown.code);
  const numerics::Fields fields = numerics::split(f, shown.code);
  const bool subnormal = (kind == Class::subnormal || kind == Class::zero);
  const long long exponent = subnormal ? 1 : static_cast<long long>(fields.exponent);
  const double significand =
      std::ldexp(static_cast<double>(fields.significand), -f.significand_bits) + (subnormal ? 0.0 : 1.0);
  std::string out = f.sign_bits != 0 ? "(-1)^" + std::string(fields.negative ? "1" : "0") + " * " : "";
  out += "2^(" + std::to_string(exponent) + " - " + std::to_string(f.bias) + ")";
  if (f.significand_bits > 0) out += " * " + decimal(significand);
  return out;
}

std::string remark(const Shown& shown) {
  if (shown.encoded.invalid) return "has no such value";
  std::string out = text_of(numerics::classify(*shown.format, shown.code));
  if (shown.encoded.overflowed) out += ", overflow";
  if (shown.encoded.flushed) out += ", underflow";
  return out;
}

std::string neighbour(const NumberFormat& f, std::optional<std::uint64_t> code) {
  if (!code) return "none";
  const double value = numerics::decode(f, *code);
  return std::isinf(value) ? (value > 0 ? "inf" : "-inf") : shortest(value);
}

Result<std::vector<const NumberFormat*>> formats_asked(const Request& request) {
  std::vector<const NumberFormat*> formats;
  std::string list;
  for (const std::string& word : request.words("as")) list += (list.empty() ? "" : ",") + word;
  if (list.empty()) {
    for (const std::string_view name : kUsual) formats.push_back(numerics::find_number_format(name));
    return formats;
  }
  if (list == "all") {
    for (const NumberFormat& f : numerics::number_formats()) formats.push_back(&f);
    return formats;
  }
  Diagnostics problems;
  for (std::size_t begin = 0; begin <= list.size();) {
    const std::size_t comma = std::min(list.find(',', begin), list.size());
    const std::string name = list.substr(begin, comma - begin);
    begin = comma + 1;
    const NumberFormat* f = numerics::find_number_format(name);
    if (f != nullptr) {
      formats.push_back(f);
      continue;
    }
    std::vector<std::string_view> names;
    for (const NumberFormat& known : numerics::number_formats()) names.push_back(known.name);
    const std::string nearest = suggestion(name, names);
    problems.push_back(error("unknown-format", "there is no number format called '" + name + "'", {},
                             nearest.empty() ? "--as all lists every one" : nearest));
  }
  if (!problems.empty()) return problems;
  return formats;
}

// A bit pattern: 0x..., or binary digits whose blanks part the fields.
Result<std::uint64_t> bits_of(const std::string& text, const NumberFormat& f) {
  const bool hexadecimal = text.size() > 2 && text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  std::uint64_t code = 0;
  int bits = 0;
  std::vector<int> fields(1, 0);
  for (const char c : hexadecimal ? text.substr(2) : text) {
    if (c == ' ' || c == '_') {
      if (fields.back() != 0) fields.push_back(0);
      continue;
    }
    int digit = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : 99;
    if (digit >= (hexadecimal ? 16 : 2))
      return error("bad-number", "'" + text.substr(0, 90) + "' is not a bit pattern", {},
                   "write 0x40490FDB, or binary digits such as \"0 10000 1001001000\"");
    const int width = hexadecimal ? 4 : 1;
    bits += width;
    fields.back() += width;
    if (bits > 96) break;
    code = code << width | static_cast<std::uint64_t>(digit);
  }
  const std::string name(f.name);
  if (!hexadecimal && fields.size() == 3 && f.exponent_bits > 0 && f.sign_bits > 0 && !f.is_posit()) {
    const int wanted[3] = {f.sign_bits, f.exponent_bits, f.significand_bits};
    static constexpr const char* kFields[3] = {"sign", "exponent", "significand"};
    for (std::size_t i = 0; i < 3; ++i)
      if (fields[i] != wanted[i])
        return error("no-such-bits", "the " + std::string(kFields[i]) + " has " + std::to_string(fields[i]) +
                                         " bits, " + name + " has " + std::to_string(wanted[i]));
  }
  const int most = hexadecimal ? (f.bits() + 3) / 4 * 4 : f.bits();
  if (bits == 0 || bits > most || (f.bits() < 64 && code >> f.bits() != 0))
    return error("no-such-bits",
                 "the pattern has " + std::to_string(bits) + " bits, " + name + " has " + std::to_string(f.bits()));
  return code;
}

std::string json_of(const Shown& shown) {
  const NumberFormat& f = *shown.format;
  const auto number = [](double v) { return std::isfinite(v) ? shortest(v) : std::string("null"); };
  const numerics::Fields fields = numerics::split(f, shown.code);
  std::string out = "{\"name\": \"" + std::string(f.name) + "\", \"code\": " + std::to_string(shown.code) +
                    ", \"hex\": \"" + hex(f, shown.code) + "\", \"bits\": \"" + numerics::bit_text(f, shown.code) +
                    "\", \"sign\": " + (fields.negative ? "1" : "0") +
                    ", \"exponent\": " + std::to_string(fields.exponent) +
                    ", \"significand\": " + std::to_string(fields.significand) + ", \"value\": " + number(shown.value) +
                    ", \"exact\": \"" + numerics::exact_decimal(shown.value) + "\", \"class\": \"" +
                    text_of(numerics::classify(f, shown.code)) + "\"";
  if (f.is_posit()) out += ", \"regime\": " + std::to_string(numerics::posit_fields(f, shown.code).regime);
  if (shown.error) out += ", \"error\": " + number(*shown.error);
  const auto side = [&](const char* key, std::optional<std::uint64_t> code) {
    out += std::string(", \"") + key + "\": " + (code ? number(numerics::decode(f, *code)) : "null");
  };
  side("below", numerics::next_down(f, shown.code));
  side("above", numerics::next_up(f, shown.code));
  const auto flag = [&](const char* key, bool on) {
    out += std::string(", \"") + key + "\": " + (on ? "true" : "false");
  };
  flag("overflow", shown.encoded.overflowed);
  flag("underflow", shown.encoded.flushed);
  flag("representable", !shown.encoded.invalid);
  return out + ", \"max\": " + number(numerics::max_finite(f)) +
         ", \"min_normal\": " + number(numerics::min_normal(f)) +
         ", \"min_subnormal\": " + number(numerics::min_subnormal(f)) + ", \"bias\": " + std::to_string(f.bias) +
         ", \"sum\": \"" + sum_of(shown) + "\"}";
}

std::vector<Value> range_row(const NumberFormat& f) {
  const std::string specials = f.is_integer()     ? "none"
                               : f.has_infinity() ? "inf, NaN"
                               : f.is_posit()     ? "NaR"
                               : f.has_nan()      ? "NaN, no inf"
                                                  : "none";
  return {std::string(f.name),
          f.is_posit() ? "1/regime/2/rest"
                       : std::to_string(f.sign_bits) + "/" + std::to_string(f.exponent_bits) + "/" +
                             std::to_string(f.significand_bits),
          f.is_posit() ? std::string("-") : std::to_string(f.bias),
          brief(numerics::max_finite(f)),
          brief(numerics::min_normal(f)),
          brief(numerics::min_subnormal(f)),
          specials,
          std::string(f.source)};
}

Book book_of(const std::string& number, const std::vector<Shown>& all) {
  Book book;
  book.title = number;
  Table values{"formats",
               "What each format holds",
               {{"format", "Format"},
                {"bits", "Bits"},
                {"hex", "Hex"},
                {"value", "Value", true},
                {"error", "Error", true},
                {"below", "Next below", true},
                {"above", "Next above", true},
                {"note", "Note"}},
               {},
               "Bits are sign, exponent and significand. The error is the value held less the number given; a value is "
               "exact unless it ends in \"...\"."};
  Table sums{"sums",
             "The sum written out",
             {{"format", "Format"}, {"sum", "(-1)^sign * 2^(exponent - bias) * significand"}, {"value", "Value", true}},
             {},
             {}};
  Table ranges{"ranges",
               "What each format can hold",
               {{"format", "Format"},
                {"fields", "Bits (s/e/m)"},
                {"bias", "Bias", true},
                {"max", "Largest", true},
                {"min_normal", "Smallest normal", true},
                {"min_subnormal", "Smallest above 0", true},
                {"specials", "Specials"},
                {"source", "Source"}},
               {},
               {}};
  book.json_answer = "\"formats\": [";
  for (const Shown& shown : all) {
    const NumberFormat& f = *shown.format;
    const std::string name(f.name);
    const std::string exact = shown.encoded.invalid ? "-" : decimal(shown.value);
    values.rows.push_back({name, numerics::bit_text(f, shown.code), hex(f, shown.code), exact,
                           shown.error && !shown.encoded.invalid ? Value(brief(*shown.error)) : Value(),
                           neighbour(f, numerics::next_down(f, shown.code)),
                           neighbour(f, numerics::next_up(f, shown.code)), remark(shown)});
    sums.rows.push_back({name, sum_of(shown), exact});
    ranges.rows.push_back(range_row(f));
    book.json_answer += (book.json_answer.back() == '[' ? "" : ", ") + json_of(shown);
  }
  book.json_answer += "]";
  if (all.size() <= 3)
    for (const Shown& shown : all)
      book.summary.push_back(
          number + " in " + std::string(shown.format->name) + " is " +
          (shown.encoded.invalid ? "not representable" : decimal(shown.value) + " = " + sum_of(shown)));
  book.tables = {std::move(values), std::move(sums), std::move(ranges)};
  return book;
}

// The value held less the number given; nothing where either is no number, 0 where infinity is held as infinity.
std::optional<double> error_made(const Unrounded& given, double held) {
  const double number = numerics::to_double(given);
  if (std::isnan(held) || std::isnan(number)) return std::nullopt;
  if (given.kind == Unrounded::Kind::infinite || std::isinf(held)) {
    if (given.kind == Unrounded::Kind::infinite && held == number) return 0.0;
    return given.kind == Unrounded::Kind::infinite ? -number : held;
  }
  const double error = 0.0 - numerics::rounding_error(given, held);
  return error == 0 ? 0.0 : error;
}

Result<Book> run(const Request& request, Context&) {
  const Result<std::vector<const NumberFormat*>> formats = formats_asked(request);
  if (!formats.ok()) return formats.problems();
  const std::string how = request.word("round", "nearest");
  numerics::Rounding rounding = numerics::Rounding::nearest_even;
  if (how == "zero")
    rounding = numerics::Rounding::toward_zero;
  else if (how == "stochastic")
    rounding = numerics::Rounding::stochastic;
  else if (how != "nearest")
    return error("bad-option", "--round expects nearest, zero or stochastic, found '" + how + "'");
  const Result<Unrounded> seed = numerics::parse_number(request.word("seed", "1"));
  if (!seed.ok()) return error("bad-option", "--seed expects a number, found '" + request.word("seed") + "'");
  const auto overflow = request.has("saturate") ? numerics::Overflow::saturate : numerics::Overflow::special;
  std::string text;
  for (const std::string& word : request.inputs) text += (text.empty() ? "" : " ") + word;
  std::vector<Shown> all;
  Diagnostics problems;
  std::optional<Unrounded> number;
  if (!request.has("bits")) {
    Result<Unrounded> read = numerics::parse_number(text);
    if (!read.ok()) return read.take_problems();
    number = *read;
  }
  std::uint64_t random = static_cast<std::uint64_t>(numerics::to_double(*seed));
  for (const NumberFormat* f : *formats) {
    Shown shown;
    shown.format = f;
    if (number) {
      random = (random + 0x9e3779b97f4a7c15ull) * 0xd1342543de82ef95ull;
      shown.encoded = numerics::encode(*f, *number, rounding, overflow, random ^ random >> 32);
      shown.code = shown.encoded.code;
    } else {
      Result<std::uint64_t> code = bits_of(text, *f);
      if (!code.ok()) {
        for (Diagnostic& problem : code.take_problems()) problems.push_back(std::move(problem));
        continue;
      }
      shown.code = *code;
    }
    shown.value = numerics::decode(*f, shown.code);
    if (number) shown.error = error_made(*number, shown.value);
    all.push_back(shown);
  }
  if (!problems.empty() && (all.empty() || request.has("as"))) return problems;
  Book book = book_of(text, all);
  book.command = "format";
  if (rounding == numerics::Rounding::stochastic)
    book.words.emplace_back("rounding", "stochastic, seed " + request.word("seed", "1"));
  return book;
}

}  // namespace

namespace commands {
extern const CommandDef k_format;
const CommandDef k_format = {
    {"format",
     "the bits of a number in each format, what they hold and what is lost",
     "NUMBER",
     1,
     8,
     {{"as", "FORMATS", "formats, parted by commas (fp32,fp16,e4m3), or all", true},
      {"bits", "", "NUMBER is a bit pattern: 0x4248 or \"0 10000 1001001000\"", false},
      {"round", "RULE", "nearest (ties to even), zero or stochastic", false},
      {"seed", "N", "seed of stochastic rounding", false},
      {"saturate", "", "too large becomes the largest finite value, not infinity or NaN", false}},
     {"floptally format 0.1 --as fp16,bf16,e4m3", "floptally format pi", "floptally format --bits 0x4248 --as fp16"}},
    run,
    false};
}  // namespace commands

}  // namespace floptally
