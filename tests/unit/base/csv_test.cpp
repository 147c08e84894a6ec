#include "base/csv.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace floptally {
namespace {

Source source(std::string text) { return {"t.csv", std::move(text), false}; }

TEST(Csv, ReadsQuotesCommentsAndBothLineEnds) {
  const Source s = source("\xEF\xBB\xBF# a comment\nname,note\r\nA,\"x, \"\"y\"\"\nz\"\r\n\n  b ,\n");
  const auto csv = Csv::read(s);
  ASSERT_TRUE(csv.ok()) << to_text(csv.problems());
  ASSERT_EQ(csv->rows(), 2u);
  EXPECT_EQ(csv->cell(0, "note"), "x, \"y\"\nz");
  EXPECT_TRUE(csv->quoted(0, 1));
  EXPECT_EQ(csv->cell(1, 0), "  b ");
  EXPECT_EQ(csv->cell(1, 1), "");
  EXPECT_EQ(csv->cell(1, "none"), "");
  EXPECT_EQ(locate(csv->span(1, 0)).line, 6u);
  EXPECT_EQ(locate(csv->span(0, 1)).column, 3u);
}

TEST(Csv, ALastLineNeedsNoNewline) {
  const Source s = source("a,b\n1,2");
  EXPECT_EQ(Csv::read(s)->cell(0, 1), "2");
}

TEST(Csv, TellsTheSeparatorFromTheFirstLine) {
  EXPECT_EQ(sniff_separator("a,b\n1;2;3\n"), ',');
  EXPECT_EQ(sniff_separator("\xEF\xBB\xBF# words, and; more\n\na;\"b,c,d\";e\n"), ';');
  EXPECT_EQ(sniff_separator("a\tb, or c\td\n"), '\t');
  EXPECT_EQ(sniff_separator(""), ',');
}

TEST(Csv, AColumnIsRenamedWhereItStands) {
  const Source s = source("a;b\n1;2\n");
  auto csv = Csv::read(s, {.separator = ';'});
  ASSERT_TRUE(csv.ok());
  csv->rename(1, "c");
  EXPECT_EQ(csv->cell(0, "c"), "2");
  EXPECT_FALSE(csv->find("b"));
  EXPECT_EQ(csv->header_span(1).begin, 2u);
}

TEST(Csv, RowsKnowTheirLines) {
  const Source s = source("# a comment\na,b\n1,\"two\nlines\"\n\n3,4\n");
  const auto csv = Csv::read(s);
  ASSERT_TRUE(csv.ok());
  RowLines lines(*csv);
  EXPECT_EQ(lines.line_of(0), 3u);
  EXPECT_EQ(lines.line_of(1), 6u);
}

TEST(Csv, CollectsAllProblemsOfAFile) {
  const Source s = source("a,b,a\n1,2\nx\"y,2,3\n\"open,1,2\n");
  const auto csv = Csv::read(s);
  ASSERT_FALSE(csv.ok());
  EXPECT_EQ(to_text(csv.problems()), R"(error[csv-duplicate-column]: column 'a' is there twice
  --> t.csv:1:5
1 | a,b,a
  |     ^
  ::: t.csv:1:1
1 | a,b,a
  | - first here

error[csv-row-width]: this row has 2 cells, the header 3
  --> t.csv:2:1
2 | 1,2
  | ^^^
help: leave cells empty rather than out

error[csv-stray-quote]: a quote inside an unquoted cell
  --> t.csv:3:2
3 | x"y,2,3
  |  ^
help: quote the whole cell and double the quotes inside it

error[csv-unclosed-quote]: this quote is never closed
  --> t.csv:4:1
4 | "open,1,2
  | ^
)");
}

TEST(Csv, EmptyTableIsRefused) {
  const Source s = source("# only\n");
  EXPECT_EQ(Csv::read(s).problems().at(0).code, "csv-no-header");
}

RC_GTEST_PROP(Csv, WhatIsQuotedReadsBackTheSame, ()) {
  const auto cell = rc::gen::container<std::string>(rc::gen::element('a', ',', '"', '\n', '\r', '#', ' ', 'b'));
  const auto rows = *rc::gen::nonEmpty(
      rc::gen::container<std::vector<std::vector<std::string>>>(rc::gen::container<std::vector<std::string>>(3, cell)));
  std::string text = "p,q,r\n";
  for (const auto& row : rows)
    text += "\"" + std::string() + "\"," + csv_quote(row[1]) + "," + csv_quote(row[2]) + "\n";
  const Source s = source(text);
  const auto csv = Csv::read(s);
  RC_ASSERT(csv.ok());
  RC_ASSERT(csv->rows() == rows.size());
  for (std::size_t r = 0; r < rows.size(); ++r)
    for (std::size_t c = 1; c < 3; ++c) {
      RC_ASSERT(csv->cell(r, c) == rows[r][c]);
      RC_ASSERT(csv->span(r, c).end <= s.text.size());
    }
}

// Row by row, a table says what it says as a whole: cells, places, quotes.
TEST(Csv, VisitedRowsAreThoseOfTheWholeTable) {
  const Source source{"t.csv", "name,\"a \"\"b\"\"\"\n# a remark\nx,1\n\"y \"\"z\"\"\",\"2\"\n\nlast,3", false};
  Result<Csv> whole = Csv::read(source);
  ASSERT_TRUE(whole.ok());
  struct Rows : CsvVisitor {
    explicit Rows(const Csv& table) : all(table) {}
    void row(const Csv& one) override {
      ASSERT_EQ(one.rows(), 1u);
      for (std::size_t c = 0; c < one.columns(); ++c) {
        EXPECT_EQ(one.header(c), all.header(c));
        EXPECT_EQ(one.cell(0, c), all.cell(seen, c));
        EXPECT_EQ(one.span(0, c).begin, all.span(seen, c).begin);
      }
      ++seen;
    }
    const Csv& all;
    std::size_t seen = 0;
  } rows(*whole);
  Result<Csv> header = Csv::visit(source, rows);
  ASSERT_TRUE(header.ok());
  EXPECT_EQ(rows.seen, 3u);
  EXPECT_EQ(header->rows(), 0u);
  EXPECT_EQ(header->header(1), "a \"b\"");
}

}  // namespace
}  // namespace floptally
