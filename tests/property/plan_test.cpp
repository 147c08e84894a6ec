// Relations that hold for every plan: the quick count of a model is the count of its network, operator by operator; a
// grid comes to the same however it is cut into lines, counted one by one or traced; --by adds up to the same total.
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "hardware/catalogue.h"
#include "plan/model_count.h"
#include "plan/tally.h"

namespace floptally {
namespace {

std::size_t index(FieldId id) { return static_cast<std::size_t>(id); }

RC_GTEST_PROP(PlanProperty, QuickCountIsTheCountOfTheNetwork, ()) {
  Plan plan;
  plan.kind = "decoder";
  plan.gated = *rc::gen::arbitrary<bool>();
  plan.tied = *rc::gen::arbitrary<bool>();
  plan.norm = *rc::gen::element<std::string>("none", "rms", "layer", "layer_scale_only");
  plan.positions = *rc::gen::element<std::string>("none", "learned", "rotary");
  const auto words = [](std::initializer_list<const char*> known) {
    std::vector<std::pair<std::string, Span>> out;
    for (const char* word : known)
      if (*rc::gen::arbitrary<bool>()) out.emplace_back(word, Span{});
    return out;
  };
  plan.count_flop = words({"matmul", "causal", "full", "unembed", "embed", "norm", "all"});
  plan.count_parameters = words({"matmul", "embed", "unembed", "norm", "position", "all"});
  Diagnostics problems;
  const PlanConvention convention = plan_convention(plan, problems);
  const auto counter = decoder_counter(plan, convention);
  FieldValues fields;
  fields.fill(-1);
  // Small ones are added up as doubles, large ones as 128-bit integers.
  const int head = *rc::gen::inRange(1, 5) * *rc::gen::element(1, 1 << 12, 1 << 20), heads = *rc::gen::inRange(1, 5);
  fields[index(FieldId::width)] = head * heads * 2;
  fields[index(FieldId::head_dim)] = head * 2;
  fields[index(FieldId::heads)] = heads;
  fields[index(FieldId::ffn)] = *rc::gen::inRange(1, 40);
  fields[index(FieldId::vocab)] = *rc::gen::inRange(1, 50);
  fields[index(FieldId::sequence)] = *rc::gen::inRange(1, 20);
  if (*rc::gen::arbitrary<bool>()) fields[index(FieldId::window)] = *rc::gen::inRange(1, 20);
  if (*rc::gen::arbitrary<bool>()) {
    fields[index(FieldId::experts)] = *rc::gen::inRange(2, 6);
    fields[index(FieldId::top_k)] = *rc::gen::inRange(1, 3);
    fields[index(FieldId::expert_ffn)] = *rc::gen::inRange(1, 9);
  }
  for (int i = 0; i < 4; ++i) {  // the third depth of a shape is counted from the first two
    fields[index(FieldId::layers)] = *rc::gen::inRange(1, 9);
    ModelCount count;
    RC_ASSERT(counter->count(fields, count, &problems));
    Integer flop, parameters;
    for (const ModelPart& part : counter->parts(fields)) {
      flop += part.flop_per_sample;
      parameters += part.parameters;
    }
    RC_ASSERT(count.flop_per_sample.to_string() == flop.to_string());
    RC_ASSERT(count.parameters.to_string() == parameters.to_string());
  }
}

const Step* total(const Book& book, const char* key) { return find_headline(book, key); }

Result<Book> tally_text(Sources& sources, const std::string& text, const std::string& by = {}) {
  const Source& source = sources.add("plan.yaml", text);
  const auto document = std::make_shared<const Document>(std::move(*read_yaml(source)));
  Result<Plan> plan = read_plan(document->root());
  TallyOptions options;
  options.by = by;
  options.worlds = 0;
  return tally_plan(*plan, options, Catalogue::embedded(), sources);
}

RC_GTEST_PROP(PlanProperty, AGridIsTheSumOfItsPartsHoweverItIsCounted, ()) {
  const int widths = *rc::gen::inRange(2, 12), layers = *rc::gen::inRange(2, 12), steps = *rc::gen::inRange(1, 6);
  const int cut = *rc::gen::inRange(1, widths);
  const std::string tokens = *rc::gen::element<std::string>("20 * parameters", "1000 * layers", "7 * steps");
  const std::string head =
      "plan: 1\nmodel: {kind: decoder, head_dim: 2, ffn: 3 * width, vocab: 11, count: {flop: [matmul, causal, "
      "unembed], parameters: [matmul, embed]}}\n"
      "train: {sequence: 4, batch: 3, tokens: " +
      tokens + "}\nruns:\n";
  const auto line = [&](int from, int to) {
    return "  - over: {width: \"2 * range(" + std::to_string(from) + ", " + std::to_string(to) +
           ")\", layers: \"range(1, " + std::to_string(layers + 1) + ")\"" +
           (tokens == "7 * steps" ? ", steps: \"range(1, " + std::to_string(steps + 1) + ")\"" : "") +
           "}\n    times: {seed: 2}\n";
  };
  // A swept `steps` takes the place of tokens, so tokens are set again on the line.
  const auto full = [&](int from, int to) {
    return line(from, to) + (tokens == "7 * steps" ? "    set: {tokens: 7 * steps}\n" : "");
  };
  Sources sources;
  const auto whole = tally_text(sources, head + "  a:\n" + full(1, widths + 1));
  const auto parts = tally_text(sources, head + "  a:\n" + full(1, cut + 1) + full(cut + 1, widths + 1));
  const auto by = tally_text(sources, head + "  a:\n" + full(1, widths + 1), "width");
  if (!whole.ok()) RC_FAIL(to_text(whole.problems()));
  RC_ASSERT(parts.ok());
  RC_ASSERT(by.ok());
  for (const char* key : {"runs", "flop_training", "tokens"}) {
    RC_ASSERT(!total(*whole, key)->figure.exact.empty());
    RC_ASSERT(total(*whole, key)->figure.exact == total(*parts, key)->figure.exact);
    RC_ASSERT(total(*whole, key)->figure.exact == total(*by, key)->figure.exact);
  }
  RC_ASSERT(by->accounts.at(0).children.size() == static_cast<std::size_t>(widths));
}

}  // namespace
}  // namespace floptally
