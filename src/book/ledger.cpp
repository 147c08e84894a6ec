#include "book/ledger.h"

#include <algorithm>

namespace floptally {
const char* to_text(Mark mark) {
  switch (mark) {
    case Mark::derived:
      return "derived";
    case Mark::given:
      return "given";
    case Mark::file:
      return "file";
    case Mark::catalogue:
      return "catalogue";
    case Mark::assumed:
      return "assumed";
  }
  return "derived";
}

const floptally::Step* find_headline(const Book& book, const std::string& key) {
  for (const Headline& each : book.headlines)
    if (each.key == key) return &book.steps[each.step];
  return nullptr;
}

Figure figure(Integer value, Dim d) {
  Figure result;
  result.dim = d;
  result.value = value.to_double();
  if (value.valid()) result.exact = value.to_string();
  return result;
}

Figure figure(double value, Dim d) {
  Figure result;
  result.dim = d;
  result.value = value;
  return result;
}

Figure figure(const Traced& value) {
  Figure result = figure(value.value(), value.dim());
  if (const auto exact = value.exact()) result.exact = exact->to_string();
  if (value.trace() != nullptr) {
    const TraceNode& node = value.trace()->node(value.id());
    result.at_least = node.at_least;
    result.at_most = node.at_most;
    result.unknown = node.unknown;
  }
  return result;
}

std::vector<std::pair<std::string, Traced>> Ledger::add(Entry entry) {
  std::vector<std::pair<std::string, Traced>> totals;
  book_.accounts.push_back(build(entry, {}, totals));
  return totals;
}

Account Ledger::build(Entry& entry, const std::string& path, std::vector<std::pair<std::string, Traced>>& totals) {
  Account account;
  account.name = entry.name;
  account.combine = entry.combine;
  account.note = std::move(entry.note);
  account.source = std::move(entry.source);
  account.place = entry.place;
  const std::string own = path.empty() ? entry.name : path + "/" + entry.name;
  std::vector<std::pair<std::string, std::vector<Traced>>> columns;
  for (Entry& child : entry.children) {
    std::vector<std::pair<std::string, Traced>> parts;
    account.children.push_back(build(child, own, parts));
    for (auto& [key, value] : parts) {
      auto column = std::find_if(columns.begin(), columns.end(), [&](const auto& c) { return c.first == key; });
      if (column == columns.end()) column = columns.insert(columns.end(), {key, {}});
      column->second.push_back(value);
    }
  }
  for (auto& [key, parts] : columns)
    entry.cells.emplace_back(key, entry.combine == Combine::sum ? trace_.sum(parts) : trace_.maximum(parts));
  for (const auto& [key, value] : entry.cells) {
    const Traced named = trace_.name(own + "/" + key, value, account.source, account.place);
    account.cells.push_back({key, step(named.id(), own + "/" + key)});
    totals.emplace_back(key, named);
  }
  return account;
}

void Ledger::headline(const std::string& key, std::string label, const Traced& value) {
  const NodeId id = value.in(trace_);
  book_.headlines.push_back({key, std::move(label), step(id, key)});
}

std::uint32_t Ledger::step(NodeId id, const std::string& fallback_name) {
  const auto found = step_of_.find(id);
  if (found != step_of_.end()) return found->second;
  const TraceNode node = trace_.node(id);
  floptally::Step result;
  std::vector<NodeId> inputs;
  result.figure = figure(Traced(&trace_, id));
  if (node.op == NodeOp::leaf) {
    const Leaf& leaf = trace_.leaf_of(node);
    result.name = leaf.name;
    result.mark = leaf.mark;
    result.stated = leaf.stated;
    result.source = leaf.source;
    result.place = leaf.place;
  } else {
    result.name = fallback_name;
    result.formula = trace_.formula(id, &inputs);
    if (node.op == NodeOp::named) {
      const Trace::Name& name = trace_.name_of(node);
      result.name = name.text;
      result.source = name.source;
      result.place = name.place;
    }
  }
  for (const NodeId input : inputs) result.inputs.push_back(step(input, {}));
  const auto index = static_cast<std::uint32_t>(book_.steps.size());
  book_.steps.push_back(std::move(result));
  step_nodes_.push_back(id);
  step_of_.emplace(id, index);
  return index;
}

Book Ledger::finish(std::uint32_t count, bool keep) {
  if (count > 0) {
    const Worlds worlds(trace_, count);
    std::vector<NodeId> uncertain;
    std::vector<std::size_t> steps;
    for (std::size_t i = 0; i < book_.steps.size(); ++i) {
      const TraceNode& node = trace_.node(step_nodes_[i]);
      if (!node.uncertain) continue;
      if (node.op == NodeOp::leaf) {
        const Distribution& d = trace_.leaf_of(node).distribution;
        Figure& f = book_.steps[i].figure;
        f.p5 = d.quantile(0.05);
        f.p50 = d.quantile(0.5);
        f.p95 = d.quantile(0.95);
        continue;
      }
      uncertain.push_back(step_nodes_[i]);
      steps.push_back(i);
    }
    const std::vector<Percentiles> found = worlds.percentiles(uncertain);
    for (std::size_t i = 0; i < steps.size(); ++i) {
      Figure& f = book_.steps[steps[i]].figure;
      f.p5 = found[i].p5;
      f.p50 = found[i].p50;
      f.p95 = found[i].p95;
    }
    for (const Headline& headline : book_.headlines)
      if (keep && count <= Worlds::kKept && trace_.node(step_nodes_[headline.step]).uncertain)
        book_.worlds[headline.key] = worlds.values(step_nodes_[headline.step]);
    for (const std::string& key : influence_keys_) {
      for (const Headline& headline : book_.headlines) {
        if (headline.key != key) continue;
        const NodeId id = step_nodes_[headline.step];
        for (const Worlds::Share& share : worlds.shares(id))
          book_.influences.push_back(
              {key, trace_.leaves()[share.leaf].name, share.share, share.low, share.high, trace_.node(id).value});
      }
    }
  }
  return std::move(book_);
}

}  // namespace floptally
