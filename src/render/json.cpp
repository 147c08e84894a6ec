// JSON, schema "floptally/1": {"schema", "command", "answer", "accounts", "steps", "tables", "notes"}; numbers in base
// units.
#include <cmath>
#include <string>
#include <string_view>

#include "base/json_quote.h"
#include "quantity/print.h"
#include "quantity/unit.h"
#include "render/grid/grid.h"
#include "render/renderer.h"

namespace floptally {
namespace {

std::string number(double value) { return std::isfinite(value) ? shortest(value) : "null"; }

std::string figure(const Figure& f, double scale = 1) {
  std::string out = "{\"value\": " + (f.unknown && !f.at_least ? std::string("null") : number(f.value * scale));
  if (!f.exact.empty() && scale == 1) out += ", \"exact\": \"" + f.exact + "\"";
  if (f.p5)
    out += ", \"p5\": " + number(*f.p5 * scale) + ", \"p50\": " + number(*f.p50 * scale) +
           ", \"p95\": " + number(*f.p95 * scale);
  if (f.at_least) out += ", \"at_least\": true";
  if (f.at_most) out += ", \"at_most\": true";
  return out + "}";
}

std::string place(const Span& span) {
  if (!span) return {};
  const Location at = locate(span);
  std::string out = ", \"file\": " + json_quote(span.source->name);
  if (span.source->binary) return out + ", \"byte\": " + std::to_string(span.begin);
  return out + ", \"line\": " + std::to_string(at.line) + ", \"column\": " + std::to_string(at.column);
}

std::string diagnostic(const Diagnostic& d) {
  static constexpr const char* kNames[] = {"error", "warning", "note"};
  std::string out = "{\"code\": " + json_quote(d.code) + ", \"severity\": \"" +
                    kNames[static_cast<std::size_t>(d.severity)] + "\", \"message\": " + json_quote(d.message);
  if (!d.labels.empty()) out += place(d.labels.front().span);
  if (!d.help.empty()) out += ", \"help\": " + json_quote(d.help);
  return out + "}";
}

void append(std::string& out, const Book& book, const Account& account, const std::string& indent) {
  out += indent + "{\"name\": " + json_quote(account.name);
  if (account.combine == Combine::max) out += ", \"combine\": \"max\"";
  if (!account.note.empty()) out += ", \"note\": " + json_quote(account.note);
  if (!account.source.empty()) out += ", \"source\": " + json_quote(account.source);
  out += place(account.place);
  for (const Cell& cell : account.cells) {
    const std::string body = figure(book.steps[cell.step].figure, json_scale(cell.key));
    out += ", " + json_quote(cell.key) + ": " + body.substr(0, body.size() - 1) +
           ", \"step\": " + std::to_string(cell.step) + "}";
  }
  if (!account.children.empty()) {
    out += ", \"accounts\": [\n";
    for (std::size_t i = 0; i < account.children.size(); ++i) {
      append(out, book, account.children[i], indent + "  ");
      out += i + 1 < account.children.size() ? ",\n" : "\n";
    }
    out += indent + "]";
  }
  out += "}";
}

void append_steps(std::string& out, const Book& book) {
  out += "  \"steps\": [";
  for (std::size_t i = 0; i < book.steps.size(); ++i) {
    const Step& step = book.steps[i];
    out += (i > 0 ? ",\n    " : "\n    ") + std::string("{\"name\": ") + json_quote(step.name) +
           ", \"figure\": " + figure(step.figure) + ", \"unit\": " + json_quote(name_of(step.figure.dim)) +
           ", \"mark\": \"" + to_text(step.mark) + "\"";
    if (!step.formula.empty()) out += ", \"formula\": " + json_quote(step.formula);
    if (!step.inputs.empty()) {
      out += ", \"inputs\": [";
      for (std::size_t k = 0; k < step.inputs.size(); ++k) out += (k > 0 ? ", " : "") + std::to_string(step.inputs[k]);
      out += "]";
    }
    if (!step.stated.empty()) out += ", \"stated\": " + json_quote(step.stated);
    if (!step.source.empty()) out += ", \"source\": " + json_quote(step.source);
    out += place(step.place) + "}";
  }
  out += book.steps.empty() ? "],\n" : "\n  ],\n";
}

void append_tables(std::string& out, const Book& book) {
  out += "  \"tables\": [";
  for (std::size_t t = 0; t < book.tables.size(); ++t) {
    const Table& table = book.tables[t];
    out += std::string(t > 0 ? "," : "") + "\n    {\"key\": " + json_quote(table.key) +
           ", \"title\": " + json_quote(table.title) + ", \"rows\": [";
    for (std::size_t r = 0; r < table.rows.size(); ++r) {
      out += std::string(r > 0 ? "," : "") + "\n      {";
      for (std::size_t c = 0; c < table.rows[r].size() && c < table.columns.size(); ++c) {
        out += std::string(c > 0 ? ", " : "") + json_quote(table.columns[c].key) + ": ";
        const Value& value = table.rows[r][c];
        if (const auto* words = std::get_if<std::string>(&value))
          out += json_quote(*words);
        else if (const auto* number = std::get_if<Figure>(&value))
          out += figure(*number);
        else
          out += "null";
      }
      out += "}";
    }
    out += table.rows.empty() ? "]}" : "\n    ]}";
  }
  out += book.tables.empty() ? "],\n" : "\n  ],\n";
}

std::string render_json(const Book& book, const RenderOptions&) {
  std::string out =
      "{\n  \"schema\": \"floptally/1\",\n  \"command\": " + json_quote(book.command) + ",\n  \"answer\": {";
  bool first = true;
  const auto member = [&](const std::string& key, const std::string& body) {
    out += std::string(first ? "\n    " : ",\n    ") + json_quote(key) + ": " + body;
    first = false;
  };
  for (const Headline& each : book.headlines)
    member(each.key, figure(book.steps[each.step].figure, json_scale(each.key)));
  for (const auto& [key, words] : book.words) member(key, json_quote(words));
  if (!book.json_answer.empty()) {
    out += std::string(first ? "\n    " : ",\n    ") + book.json_answer;
    first = false;
  }
  out += first ? "},\n" : "\n  },\n";
  out += std::string("  \"yes\": ") + (book.yes ? "true" : "false") + ",\n";
  out += "  \"accounts\": [";
  for (std::size_t i = 0; i < book.accounts.size(); ++i) {
    out += i > 0 ? ",\n" : "\n";
    append(out, book, book.accounts[i], "    ");
  }
  out += book.accounts.empty() ? "],\n" : "\n  ],\n";
  if (!book.influences.empty()) {
    out += "  \"influences\": [";
    for (std::size_t i = 0; i < book.influences.size(); ++i) {
      const Influence& each = book.influences[i];
      const double scale = json_scale(each.key);
      out += std::string(i > 0 ? "," : "") + "\n    {\"of\": " + json_quote(each.key) +
             ", \"input\": " + json_quote(each.input) + ", \"share\": " + number(each.share) +
             ", \"low\": " + number(each.low * scale) + ", \"high\": " + number(each.high * scale) + "}";
    }
    out += "\n  ],\n";
  }
  append_steps(out, book);
  append_tables(out, book);
  out += "  \"notes\": [";
  for (std::size_t i = 0; i < book.notes.size(); ++i) out += (i > 0 ? ",\n    " : "\n    ") + diagnostic(book.notes[i]);
  out += book.notes.empty() ? "]\n}\n" : "\n  ]\n}\n";
  return out;
}

}  // namespace

std::string problems_json(const Diagnostics& problems) {
  std::string out;
  for (const Diagnostic& each : problems) out += diagnostic(each) + "\n";
  return out;
}

namespace renderers {
extern const RendererDef k_json;
const RendererDef k_json = {"json", "the whole answer, schema floptally/1", render_json};
}  // namespace renderers
}  // namespace floptally
