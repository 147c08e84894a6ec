// floptally check FILE: mistakes in an account, a run or a plan.
#include "audit/lint/lint.h"
#include "base/nearest.h"
#include "engine/delegate.h"
#include "engine/facts.h"
#include "engine/override.h"

namespace floptally {
namespace {

std::string place_of(const Diagnostic& d) {
  if (d.labels.empty() || !d.labels.front().span) return {};
  const Location at = locate(d.labels.front().span);
  return std::to_string(at.line) + ":" + std::to_string(at.column);
}

Book book_of(const std::string& name, const Diagnostics& findings) {
  Book book;
  book.command = "check";
  book.title = name;
  book.yes = findings.empty();
  book.summary.push_back(findings.empty()
                             ? "no mistakes found"
                             : std::to_string(findings.size()) + (findings.size() == 1 ? " finding" : " findings"));
  if (findings.empty()) return book;
  Table table{"findings",
              "",
              {{"place", "Line"}, {"code", "Code"}, {"finding", "Finding"}, {"help", "Help"}},
              {},
              "`floptally check --explain CODE` says why each is a mistake and where it was made."};
  for (const Diagnostic& d : findings) table.rows.push_back({place_of(d), d.code, d.message, d.help});
  book.tables.push_back(std::move(table));
  book.json_answer = "\"findings\": [";
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const Diagnostic& d = findings[i];
    const Location at = d.labels.empty() ? Location{} : locate(d.labels.front().span);
    book.json_answer += (i ? ", " : "") + std::string("{\"code\": ") + json_quote(d.code) +
                        ", \"message\": " + json_quote(d.message) + ", \"line\": " + std::to_string(at.line) +
                        ", \"column\": " + std::to_string(at.column) + ", \"help\": " + json_quote(d.help) + "}";
  }
  book.json_answer += "]";
  return book;
}

Result<Book> explain(const std::string& code) {
  std::vector<std::string_view> known;
  for (const LintDef* lint : all_lints()) {
    known.emplace_back(lint->code);
    if (code != lint->code) continue;
    Book book;
    book.command = "check";
    book.title = std::string(lint->code) + ": " + lint->title;
    book.summary = {lint->explanation, std::string("Real case: ") + lint->real_case};
    return book;
  }
  return error("unknown-lint", "no lint '" + code + "'", {}, suggestion(code, known));
}

Result<Book> run(const Request& request, Context& context) {
  if (request.has("explain")) return explain(request.word("explain"));
  if (request.has("list")) {
    Book book;
    book.command = "check";
    book.title = "Lints";
    Table table{"lints", "", {{"code", "Code"}, {"title", "Mistake"}, {"case", "Real case"}}, {}, {}};
    for (const LintDef* lint : all_lints())
      table.rows.push_back({std::string(lint->code), std::string(lint->title), std::string(lint->real_case)});
    book.tables.push_back(std::move(table));
    return book;
  }
  if (request.inputs.empty())
    return error("command-line", "which file is to be checked?", {}, "floptally check FILE, or floptally check --list");
  const std::string& input = request.inputs.front();
  Result<std::shared_ptr<const Catalogue>> catalogue = catalogue_of(request, context);
  if (!catalogue) return catalogue.take_problems();
  Result<const Source*> source = context.sources.read(input);
  if (!source) return source.take_problems();
  Result<Document> document = read_document(**source);
  if (document) document = with_overrides(*std::move(document), request, context);
  if (!document) return document.take_problems();
  const Node root = document->root();
  if (root.find("account")) {
    Result<LintReport> findings = lint_document(*document, {**catalogue});
    if (!findings) return findings.take_problems();
    return book_of(root.find("title") ? std::string(root.find("title").text()) : input, findings->findings);
  }
  Diagnostics findings;
  if (root.find("run")) {
    Result<LintReport> linted = lint_document(*document, {**catalogue});
    if (!linted) return linted.take_problems();
    findings = linted->findings;
  }
  // What answering the file itself has to say: the methods of a run that disagree, an `expect` of a plan that is not
  // met.
  Request inner = request;
  Result<Book> answer = [&]() -> Result<Book> {
    if (!root.find("run")) return answer_for(input, request, context);
    inner.command = "audit";
    for (const CommandDef* const* each = commands::kAll; *each != nullptr; ++each) {
      if ((*each)->info.name == "audit") return (*each)->run(inner, context);
    }
    return error("unknown-command", "no command 'audit'");
  }();
  if (!answer) return answer.take_problems();
  for (const Diagnostic& note : answer->notes) {
    if (note.severity != Severity::note) findings.push_back(note);
  }
  return book_of(answer->title.empty() ? input : answer->title, findings);
}

}  // namespace

namespace commands {
extern const CommandDef k_check;
const CommandDef k_check = {
    {"check",
     "mistakes in a plan, a run or a published account",
     "[FILE]",
     0,
     1,
     {{"explain", "CODE", "why a finding is a mistake, and where it was made", false},
      {"list", "", "all lints", false}},
     {"floptally check examples/audits/blog-gdm.yaml", "floptally check --explain total-not-sum"}},
    run};
}  // namespace commands

}  // namespace floptally
