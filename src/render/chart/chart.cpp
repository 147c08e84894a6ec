#include "render/chart/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "quantity/print.h"
#include "render/chart/axis.h"
#include "render/grid/grid.h"

namespace floptally {
namespace {

constexpr const char* kPalette[] = {"#4c78a8", "#f58518", "#54a24b", "#e45756", "#72b7b2",
                                    "#b279a2", "#9d755d", "#eeca3b", "#ff9da6", "#bab0ac"};
constexpr double kLeft = 190;
constexpr double kTop = 34;
constexpr double kRow = 22;

std::string text(double x, double y, const std::string& words, const char* anchor = "start", const char* extra = "") {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"{}\"{}>{}</text>\n", x, y, anchor, extra,
                     escape_xml(words));
}
std::string line(double x1, double y1, double x2, double y2, const char* style = "stroke=\"#ccc\"") {
  return fmt::format("<line x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\" {}/>\n", x1, y1, x2, y2, style);
}
std::string box(double x, double y, double w, double h, const char* colour, const std::string& title) {
  return fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"{}\"><title>{}</title></rect>\n", x, y,
      std::max(w, 0.5), std::max(h, 0.5), colour, escape_xml(title));
}

void horizontal_axis(Canvas& canvas, const ChartAxis& axis, Dim dim, double top, double bottom) {
  const std::vector<double> ticks = axis.ticks(5);
  const std::vector<std::string> texts = tick_texts(ticks, dim);
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    canvas.body += line(axis.at(ticks[i]), top, axis.at(ticks[i]), bottom, "stroke=\"#e4e4e4\"");
    canvas.body += text(axis.at(ticks[i]), bottom + 14, texts[i], "middle", " class=\"tick\"");
  }
}

void vertical_axis(Canvas& canvas, const ChartAxis& axis, Dim dim, double left, double right) {
  const std::vector<double> ticks = axis.ticks(5);
  const std::vector<std::string> texts = tick_texts(ticks, dim);
  for (std::size_t i = 0; i < ticks.size(); ++i) {
    canvas.body += line(left, axis.at(ticks[i]), right, axis.at(ticks[i]), "stroke=\"#e4e4e4\"");
    canvas.body += text(left - 6, axis.at(ticks[i]) + 4, texts[i], "end", " class=\"tick\"");
  }
}

std::string clipped(const std::string& label, std::size_t width) {
  if (display_width(label) <= width) return label;
  std::string out;
  for (std::size_t i = 0, n = 0; i < label.size() && n < width - 1; ++i) {
    out += label[i];
    if ((static_cast<unsigned char>(label[i + 1 < label.size() ? i + 1 : i]) & 0xC0) != 0x80) ++n;
  }
  return out + "\xE2\x80\xA6";
}

// Bars from low to high around a common base (tornado) or with a dot at the best guess (ranges).
void draw_bars(Canvas& canvas, const Chart& chart) {
  double low = 1e300;
  double high = -1e300;
  for (const Mark2d& m : chart.marks) {
    low = std::min({low, m.low, m.x});
    high = std::max({high, m.high, m.x});
  }
  if (chart.limit) {
    low = std::min(low, *chart.limit);
    high = std::max(high, *chart.limit);
  }
  const double bottom = kTop + kRow * static_cast<double>(chart.marks.size());
  const ChartAxis axis = make_axis(low, high, kLeft, canvas.width - 20, chart.log_x && low > 0, chart.x_dim);
  horizontal_axis(canvas, axis, chart.x_dim, kTop, bottom);
  for (std::size_t i = 0; i < chart.marks.size(); ++i) {
    const Mark2d& m = chart.marks[i];
    const double y = kTop + kRow * static_cast<double>(i);
    const std::string words =
        m.label + ": " + quantity_text(m.low, chart.x_dim) + " to " + quantity_text(m.high, chart.x_dim);
    canvas.body += text(kLeft - 8, y + 15, clipped(m.label, 30), "end");
    canvas.body += box(axis.at(m.low), y + 4, axis.at(m.high) - axis.at(m.low), kRow - 8,
                       chart.form == Chart::Form::tornado ? kPalette[0] : "#9ecae9", words);
    if (chart.form == Chart::Form::ranges)
      canvas.body += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"{}\"/>\n", axis.at(m.x),
                                 y + kRow / 2, kPalette[0]);
  }
  if (chart.form == Chart::Form::tornado && !chart.marks.empty())
    canvas.body += line(axis.at(chart.marks.front().x), kTop, axis.at(chart.marks.front().x), bottom,
                        "stroke=\"#333\" stroke-width=\"1.5\"");
  if (chart.limit) {
    canvas.body +=
        line(axis.at(*chart.limit), kTop, axis.at(*chart.limit), bottom, "stroke=\"#e45756\" stroke-dasharray=\"4 3\"");
    canvas.body += text(axis.at(*chart.limit), kTop - 4, chart.limit_label, "middle", " class=\"tick\"");
  }
  canvas.height = bottom + 26;
}

struct Frame {
  ChartAxis x, y;
  double left = 84, right = 0, top = kTop, bottom = 0;
};

Frame frame(Canvas& canvas, const Chart& chart, double x_low, double x_high, double y_low, double y_high,
            double height) {
  Frame f;
  f.right = canvas.width - 20;
  f.bottom = kTop + height;
  if (chart.diagonal) {
    x_low = y_low = std::min(x_low, y_low);
    x_high = y_high = std::max(x_high, y_high);
  }
  if (chart.limit) y_high = std::max(y_high, *chart.limit);
  f.x = make_axis(x_low, x_high, f.left, f.right, chart.log_x, chart.x_dim);
  f.y = make_axis(y_low, y_high, f.bottom, f.top, chart.log_y, chart.y_dim);
  horizontal_axis(canvas, f.x, chart.x_dim, f.top, f.bottom);
  vertical_axis(canvas, f.y, chart.y_dim, f.left, f.right);
  canvas.body += text((f.left + f.right) / 2, f.bottom + 30, chart.x_title, "middle");
  canvas.body += fmt::format("<text transform=\"translate(14 {:.1f}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
                             (f.top + f.bottom) / 2, escape_xml(chart.y_title));
  if (chart.limit) {
    canvas.body += line(f.left, f.y.at(*chart.limit), f.right, f.y.at(*chart.limit),
                        "stroke=\"#e45756\" stroke-dasharray=\"4 3\"");
    canvas.above += text(f.right, f.y.at(*chart.limit) - 4, chart.limit_label, "end",
                         " class=\"tick\" paint-order=\"stroke\" stroke=\"#fff\" stroke-width=\"3\"");
  }
  canvas.height = f.bottom + 42;
  return f;
}

// How the marks of a group are drawn. Past the palette colours come again, hollow.
struct Style {
  const char* colour = kPalette[0];
  bool hollow = false;
};

std::map<std::string, Style> styles(Canvas& canvas, const Chart& chart) {
  std::map<std::string, Style> result;
  std::vector<std::string> order;
  for (const Mark2d& m : chart.marks)
    if (result.emplace(m.group, Style{}).second) order.push_back(m.group);
  double x = 84;
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Style style{kPalette[i % std::size(kPalette)], i / std::size(kPalette) % 2 == 1};
    result[order[i]] = style;
    if (order.size() < 2) break;
    const double width = 22 + 6.2 * static_cast<double>(display_width(order[i]));
    if (x + width > canvas.width) {
      x = 84;
      canvas.height += 16;
    }
    if (style.hollow)
      canvas.body +=
          fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>\n",
                      x + 5, canvas.height + 5, style.colour);
    else
      canvas.body += box(x, canvas.height, 10, 10, style.colour, order[i]);
    canvas.body += text(x + 14, canvas.height + 9, order[i], "start", " class=\"tick\"");
    x += width;
  }
  if (order.size() > 1) canvas.height += 20;
  return result;
}

void draw_scatter(Canvas& canvas, const Chart& chart) {
  double x_low = 1e300, x_high = -1e300, y_low = 1e300, y_high = -1e300;
  for (const Mark2d& m : chart.marks) {
    x_low = std::min(x_low, m.x);
    x_high = std::max(x_high, m.x);
    y_low = std::min(y_low, m.y);
    y_high = std::max(y_high, m.y);
  }
  const Frame f = frame(canvas, chart, x_low, x_high, y_low, y_high, 380);
  if (chart.diagonal) {
    const double low = std::max(f.x.low, f.y.low);
    const double high = std::min(f.x.high, f.y.high);
    canvas.body += line(f.x.at(low), f.y.at(low), f.x.at(high), f.y.at(high), "stroke=\"#888\"");
  }
  const auto style = styles(canvas, chart);
  for (const Mark2d& m : chart.marks) {
    const auto [c, hollow] = style.at(m.group);
    if (m.low < m.high)
      canvas.body += fmt::format(
          "<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\" stroke=\"{3}\" stroke-opacity=\".35\"/>\n",
          f.x.at(m.x), f.y.at(m.low), f.y.at(m.high), c);
    const std::string look = hollow ? fmt::format("r=\"4\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"", c)
                                    : fmt::format("r=\"3\" fill=\"{}\" fill-opacity=\".75\"", c);
    canvas.body += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" {}><title>{}</title></circle>\n", f.x.at(m.x),
                               f.y.at(m.y), look, escape_xml(m.label));
  }
}

// Stacked areas: marks of one group, in order of x, are one layer; groups stack in order of appearance.
void draw_timeline(Canvas& canvas, const Chart& chart) {
  std::vector<std::string> order;
  std::vector<double> xs;
  std::map<std::string, std::map<double, double>> layers;
  for (const Mark2d& m : chart.marks) {
    if (std::find(order.begin(), order.end(), m.group) == order.end()) order.push_back(m.group);
    layers[m.group][m.x] += m.y;
    xs.push_back(m.x);
  }
  std::sort(xs.begin(), xs.end());
  xs.erase(std::unique(xs.begin(), xs.end()), xs.end());
  if (xs.empty()) return;
  std::vector<double> base(xs.size(), 0.0);
  double top = 0;
  for (const double x : xs) {
    double sum = 0;
    for (const std::string& group : order) sum += layers[group].count(x) != 0 ? layers[group][x] : 0;
    top = std::max(top, sum);
  }
  const Frame f = frame(canvas, chart, xs.front(), xs.back(), 0, top, 320);
  const auto style = styles(canvas, chart);
  for (const std::string& group : order) {
    std::string up;
    std::string down;
    for (std::size_t i = 0; i < xs.size(); ++i) {
      const double y = base[i] + (layers[group].count(xs[i]) != 0 ? layers[group][xs[i]] : 0);
      up += fmt::format("{:.1f},{:.1f} ", f.x.at(xs[i]), f.y.at(y));
      down = fmt::format("{:.1f},{:.1f} ", f.x.at(xs[i]), f.y.at(base[i])) + down;
      base[i] = y;
    }
    canvas.body +=
        fmt::format("<polygon points=\"{}{}\" fill=\"{}\" fill-opacity=\".85\"><title>{}</title></polygon>\n", up, down,
                    style.at(group).colour, escape_xml(group));
  }
}

// Slice-and-dice: the largest share takes a slice of the longer side, the rest goes on in what is left.
void draw_treemap(Canvas& canvas, const Chart& chart) {
  std::vector<Mark2d> marks = chart.marks;
  std::stable_sort(marks.begin(), marks.end(), [](const Mark2d& a, const Mark2d& b) { return a.y > b.y; });
  double total = 0;
  for (const Mark2d& m : marks) total += m.y;
  double x = 10, y = kTop, w = canvas.width - 20, h = 380;
  canvas.height = kTop + h + 12;
  if (total <= 0) return;
  std::map<std::string, std::size_t> group;
  for (const Mark2d& m : marks) group.emplace(m.group, group.size());
  double rest = total;
  for (std::size_t i = 0; i < marks.size() && rest > 0 && w > 0.5 && h > 0.5; ++i) {
    const double share = std::min(1.0, marks[i].y / rest);
    const bool across = w >= h;
    const double bw = across ? w * share : w;
    const double bh = across ? h : h * share;
    const std::string words = marks[i].label + ": " + quantity_text(marks[i].y, chart.y_dim) +
                              fmt::format(" ({:.1f}%)", 100 * marks[i].y / total);
    canvas.body += fmt::format("<g stroke=\"#fff\">{}</g>",
                               box(x, y, bw, bh, kPalette[group[marks[i].group] % std::size(kPalette)], words));
    const auto fits = static_cast<std::size_t>(std::max(0.0, (bw - 8) / 6.4));
    std::string label = marks[i].label;  // where the whole path does not fit, its last parts
    while (display_width(label) > fits && label.find('.') != std::string::npos) label.erase(0, label.find('.') + 1);
    if (bh > 16 && fits > 3) canvas.body += text(x + 4, y + 13, clipped(label, fits), "start", " fill=\"#fff\"");
    if (across) {
      x += bw;
      w -= bw;
    } else {
      y += bh;
      h -= bh;
    }
    rest -= marks[i].y;
  }
}

void draw_histogram(Canvas& canvas, const Chart& chart) {
  double x_low = 1e300, x_high = -1e300, y_high = 0;
  for (const Mark2d& m : chart.marks) {
    x_low = std::min(x_low, m.low);
    x_high = std::max(x_high, m.high);
    y_high = std::max(y_high, m.y);
  }
  const double y_low = chart.log_y ? 0.5 : 0;  // half of what is counted once: a single one still shows
  const Frame f = frame(canvas, chart, x_low, x_high, y_low, y_high, 260);
  const auto style = styles(canvas, chart);
  for (const Mark2d& m : chart.marks)
    if (m.y > y_low)
      canvas.body +=
          fmt::format("<g fill-opacity=\".6\">{}</g>", box(f.x.at(m.low), f.y.at(m.y), f.x.at(m.high) - f.x.at(m.low),
                                                           f.bottom - f.y.at(m.y), style.at(m.group).colour, m.label));
}

// Quantile dots: each mark is one equally likely value; dots that fall together stack.
void draw_dots(Canvas& canvas, const Chart& chart) {
  double low = 1e300, high = -1e300;
  for (const Mark2d& m : chart.marks) {
    low = std::min(low, m.x);
    high = std::max(high, m.x);
  }
  if (chart.limit) {
    low = std::min(low, *chart.limit);
    high = std::max(high, *chart.limit);
  }
  const ChartAxis axis = make_axis(low, high, 40, canvas.width - 20, chart.log_x && low > 0, chart.x_dim);
  constexpr double kColumn = 13, kDot = 12, kShort = 170, kTall = 360;
  std::map<int, int> stack;
  int tallest = 0;
  for (const Mark2d& m : chart.marks) tallest = std::max(tallest, ++stack[static_cast<int>(axis.at(m.x) / kColumn)]);
  const double bottom = kTop + std::clamp(kDot * tallest + 14, kShort, kTall);
  const double spacing = std::min(kDot, (bottom - kTop - 8) / std::max(tallest, 1));
  horizontal_axis(canvas, axis, chart.x_dim, kTop, bottom);
  stack.clear();
  for (const Mark2d& m : chart.marks) {
    const int column = static_cast<int>(axis.at(m.x) / kColumn);
    const int level = stack[column]++;
    const bool past = chart.limit && m.x > *chart.limit;
    canvas.body +=
        fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"{:.1f}\" fill=\"{}\"/>\n", (column + 0.5) * kColumn,
                    bottom - 1 - spacing * (level + 0.5), spacing / 2 - 0.5, past ? kPalette[3] : kPalette[0]);
  }
  if (chart.limit) {
    canvas.body +=
        line(axis.at(*chart.limit), kTop, axis.at(*chart.limit), bottom, "stroke=\"#e45756\" stroke-dasharray=\"4 3\"");
    canvas.body += text(axis.at(*chart.limit), kTop - 4, chart.limit_label, "middle", " class=\"tick\"");
  }
  canvas.height = bottom + 40;
  canvas.body += text((40 + canvas.width) / 2, bottom + 32, chart.x_title, "middle");
}

}  // namespace

std::string escape_xml(const std::string& raw) {
  std::string out;
  for (const char c : raw) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

Canvas draw(const Chart& chart) {
  Canvas canvas;
  canvas.body = text(10, 18, chart.title, "start", " font-weight=\"bold\"");
  canvas.height = kTop;
  if (chart.marks.empty()) {
    canvas.body += text(10, kTop + 14, "nothing to draw");
    canvas.height = kTop + 24;
    return canvas;
  }
  switch (chart.form) {
    case Chart::Form::tornado:
    case Chart::Form::ranges:
      draw_bars(canvas, chart);
      break;
    case Chart::Form::scatter:
      draw_scatter(canvas, chart);
      break;
    case Chart::Form::timeline:
      draw_timeline(canvas, chart);
      break;
    case Chart::Form::treemap:
      draw_treemap(canvas, chart);
      break;
    case Chart::Form::histogram:
      draw_histogram(canvas, chart);
      break;
    case Chart::Form::dots:
      draw_dots(canvas, chart);
      break;
  }
  return canvas;
}

std::vector<Chart> standard_charts(const Book& book) {
  std::vector<Chart> charts = book.charts;
  for (const Headline& headline : book.headlines) {
    Chart chart;
    chart.form = Chart::Form::tornado;
    chart.key = "tornado-" + headline.key;
    chart.title =
        "What moves " + headline.label + ": each input at its 5th and 95th percentile, the others at their best guess";
    chart.x_dim = book.steps[headline.step].figure.dim;
    for (const Influence& each : book.influences)
      if (each.key == headline.key)
        chart.marks.push_back(
            {each.base, 0, std::min(each.low, each.high), std::max(each.low, each.high), each.input, {}});
    if (!chart.marks.empty()) charts.push_back(chart);
  }
  for (const Account& account : book.accounts) {
    for (const char* key : {"usd", "flop"}) {
      Chart chart;
      chart.form = Chart::Form::ranges;
      chart.key = std::string("ranges-") + key;
      chart.title = account.name + ": " + title_of(key) + ", best guess and 90% range";
      chart.log_x = true;
      for (const Account& child : account.children)
        for (const Cell& cell : child.cells) {
          if (cell.key != key) continue;
          const Figure& f = book.steps[cell.step].figure;
          chart.x_dim = f.dim;
          chart.marks.push_back({f.value,
                                 0,
                                 f.p5.value_or(f.value),
                                 f.p95.value_or(f.value),
                                 (f.at_least ? "\xE2\x89\xA5 " : "") + child.name,
                                 {}});
        }
      const bool ranged =
          std::any_of(chart.marks.begin(), chart.marks.end(), [](const Mark2d& mark) { return mark.low < mark.high; });
      if (chart.marks.size() > 1 || ranged) charts.push_back(chart);
    }
  }
  return charts;
}

std::string svg_document(const std::vector<Chart>& charts, const std::string& title) {
  std::vector<Canvas> canvases;
  canvases.reserve(charts.size());
  for (const Chart& chart : charts) canvases.push_back(draw(chart));
  return svg_page(canvases, title);
}

std::string svg_page(const std::vector<Canvas>& canvases, const std::string& title) {
  std::string body;
  double height = 8;
  double width = 720;
  for (const Canvas& canvas : canvases) {
    body += fmt::format("<g transform=\"translate(0 {:.0f})\">\n{}</g>\n", height, canvas.body + canvas.above);
    height += canvas.height + 16;
    width = std::max(width, canvas.width);
  }
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0:.0f}\" height=\"{1:.0f}\" viewBox=\"0 0 {0:.0f} {1:.0f}\" "
      "role=\"img\">\n"
      "<title>{2}</title>\n<style>text {{ font: 12px system-ui, sans-serif; }} .tick {{ font-size: 11px; fill: #555; "
      "}}</style>\n"
      "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n{3}</svg>\n",
      width, height, escape_xml(title), body);
}

}  // namespace floptally
