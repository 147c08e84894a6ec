#include "network/kinds/_layers.h"

#include <algorithm>

#include "base/nearest.h"

namespace floptally::kinds {

std::string Flow::text() const {
  if (form == Form::image) return std::to_string(channels) + "x" + std::to_string(height) + "x" + std::to_string(width);
  if (form == Form::sequence) return std::to_string(tokens) + "x" + std::to_string(features);
  return std::to_string(features) + " features";
}

namespace {

constexpr int kDeepest = 32;

// One layer being described: its value (a number or a mapping), the flow, where to.
struct Layer {
  Node node;  // the value
  Node item;  // the mapping of the list
  Flow& flow;
  Spec::Session& session;
  Sink& sink;
  std::int64_t steps;
  int depth;
  std::string name;

  // A size: the value itself where it is a number ({linear: 10}), else the key of the mapping.
  std::int64_t main_size(std::string_view key, std::string_view what) const {
    Spec spec(node.is_mapping() ? node : item, session);
    if (node.is_mapping()) return spec.size(key, what);
    return spec.whole(node, 1).value_or(1);
  }
  std::int64_t size_or(std::string_view key, std::int64_t otherwise, std::int64_t least = 1) const {
    return node.is_mapping() ? Spec(node, session).size_or(key, otherwise, least) : otherwise;
  }
  bool flag(std::string_view key, bool otherwise) const {
    return node.is_mapping() ? Spec(node, session).flag(key, otherwise) : otherwise;
  }
  std::string_view word(std::string_view key, std::string_view otherwise) const {
    return node.is_mapping() ? Spec(node, session).word(key, otherwise) : otherwise;
  }
  void add(Op op) const {
    op.times = steps;
    sink.add(op);
  }
  void fail(Diagnostic problem) const { session.problems.push_back(std::move(problem)); }
  // What it expects does not come out of the layer before: both places are shown.
  bool expects(Flow::Form form, const char* what) const {
    if (flow.form == form) return true;
    mismatch(what);
    return false;
  }
  void mismatch(const std::string& what) const {
    Diagnostic problem =
        error("shape-join", "this layer expects " + what + ", but " + flow.text() + " comes in", item.span());
    problem.labels.push_back({flow.made_by.span(), "comes out of this"});
    fail(std::move(problem));
  }
  void known(std::initializer_list<std::string_view> keys) const {
    if (!node.is_mapping()) return;
    const std::vector<std::string_view> list(keys);
    for (Node value : node) {
      if (std::find(list.begin(), list.end(), value.key()) == list.end())
        fail(unknown_key(value, list, item.begin() != item.end() ? (*item.begin()).key() : "layer"));
    }
  }
};

// Runs an ImageStack on the flow and takes its shape back.
template <class Body>
void on_image(const Layer& l, const char* what, Body body) {
  if (!l.expects(Flow::Form::image, what)) return;
  struct Times final : Sink {
    const Layer& layer;
    explicit Times(const Layer& of) : layer(of) {}
    void enter(std::string_view name, std::int64_t repeat, BlockKind kind) override {
      layer.sink.enter(name, repeat, kind);
    }
    void leave() override { layer.sink.leave(); }
    void add(const Op& op) override { layer.add(op); }
  } sink(l);
  ImageStack x{sink, l.flow.channels, l.flow.height, l.flow.width};
  body(x);
  if (x.failed) {
    Diagnostic problem =
        error("shape-window", "the window does not fit, or groups do not divide the channels, of " + l.flow.text(),
              l.item.span());
    problem.labels.push_back({l.flow.made_by.span(), "comes out of this"});
    l.fail(std::move(problem));
    return;
  }
  l.flow.channels = x.channels;
  l.flow.height = x.height;
  l.flow.width = x.width;
}

void conv(const Layer& l) {
  l.known({"out", "kernel", "stride", "padding", "groups", "dilation", "bias", "in", "dense"});
  const std::int64_t in = l.size_or("in", l.flow.channels);
  if (l.flow.form == Flow::Form::image && in != l.flow.channels) return l.mismatch(std::to_string(in) + " channels");
  const bool dense = l.flag("dense", false);
  on_image(l, "an image", [&](ImageStack& x) {
    const std::int64_t from = x.positions(), channels = x.channels;
    const ImageStack::Conv c{.out = l.main_size("out", "filters"),
                             .kernel = l.size_or("kernel", 3),
                             .stride = l.size_or("stride", 1),
                             .padding = l.size_or("padding", -1, 0),
                             .groups = l.size_or("groups", 1),
                             .dilation = l.size_or("dilation", 1),
                             .bias = l.flag("bias", true)};
    if (!dense) {
      x.conv(l.name, c);
      return;
    }
    // As Epoch's article counts: every output sees every input; parameters stay those of the convolution.
    struct Nothing final : Sink {
      void enter(std::string_view, std::int64_t, BlockKind) override {}
      void add(const Op&) override {}
      void leave() override {}
    } nothing;
    ImageStack shape{nothing, x.channels, x.height, x.width};
    shape.conv(l.name, c);
    Op op = convolution(l.name, channels, c.out, c.groups, c.kernel * c.kernel, from, shape.positions(), c.bias);
    op.attributes[7] = 1;
    x.sink.add(op);
    x.become(shape);
  });
}

void conv_transposed(const Layer& l) {
  l.known({"out", "kernel", "stride", "padding", "output_padding", "groups", "bias"});
  on_image(l, "an image", [&](ImageStack& x) {
    x.conv_transposed(l.name, l.main_size("out", "filters"), l.size_or("kernel", 2), l.size_or("stride", 2),
                      l.size_or("padding", 0, 0), l.size_or("output_padding", 0, 0), l.size_or("groups", 1),
                      l.flag("bias", true));
  });
}

void pool_layer(const Layer& l, bool maximum) {
  l.known({"kernel", "stride", "padding"});
  on_image(l, "an image", [&](ImageStack& x) {
    const std::int64_t kernel = l.main_size("kernel", "side of a window");
    x.pooling(kernel, l.size_or("stride", kernel), l.size_or("padding", 0, 0), false, maximum);
  });
}
void max_pool(const Layer& l) { pool_layer(l, true); }
void average_pool(const Layer& l) { pool_layer(l, false); }
void global_pool(const Layer& l) {
  on_image(l, "an image", [](ImageStack& x) { x.global_pool(); });
}
void upsample(const Layer& l) {
  l.known({"factor", "neighbours"});
  on_image(l, "an image",
           [&](ImageStack& x) { x.upsample(l.main_size("factor", "factor"), l.size_or("neighbours", 1)); });
}

void norm_layer(const Layer& l, std::string_view kind) {
  l.known({"groups", "scale", "shift"});
  const Flow& f = l.flow;
  const bool image = f.form == Flow::Form::image;
  const std::int64_t rows = image ? f.height * f.width : f.tokens, width = image ? f.channels : f.features;
  if (kind == "batch_norm") return l.add(batch_norm(l.name, width, rows));
  if (kind == "group_norm") return l.add(group_norm(l.name, width, rows, l.size_or("groups", 32)));
  if (kind == "rms_norm") return l.add(rms_norm(l.name, rows, width));
  l.add(layer_norm(l.name, rows, width, l.flag("scale", true), l.flag("shift", true)));
}
void batch_norm_layer(const Layer& l) { norm_layer(l, "batch_norm"); }
void layer_norm_layer(const Layer& l) { norm_layer(l, "layer_norm"); }
void rms_norm_layer(const Layer& l) { norm_layer(l, "rms_norm"); }
void group_norm_layer(const Layer& l) { norm_layer(l, "group_norm"); }

void activation_layer(const Layer& l) {
  const std::optional<Activation> kind = find_activation(l.node.text());
  if (!kind)
    return l.fail(error("unknown-activation", "no activation function is called '" + std::string(l.node.text()) + "'",
                        l.node.span()));
  l.add(activation(l.name, l.flow.elements(), *kind));
}
void dropout_layer(const Layer& l) { l.add(dropout(l.name, l.flow.elements())); }
void softmax_layer(const Layer& l) {
  l.add(softmax(l.name, l.flow.form == Flow::Form::sequence ? l.flow.tokens : 1,
                l.flow.form == Flow::Form::image ? l.flow.elements() : l.flow.features));
}

void flatten(const Layer& l) {
  const Node by = l.flow.made_by;
  const std::int64_t features = l.flow.elements();
  l.flow = {};
  l.flow.features = features;
  l.flow.made_by = by;
}

void linear_layer(const Layer& l) {
  l.known({"out", "in", "bias", "kept", "of", "two_of_four"});
  if (l.flow.form == Flow::Form::image) flatten(l);
  const std::int64_t in = l.size_or("in", l.flow.features), out = l.main_size("out", "output features");
  if (in != l.flow.features) return l.mismatch(std::to_string(in) + " features");
  const bool bias = l.flag("bias", true), pattern = l.flag("two_of_four", false);
  const std::int64_t kept = l.size_or("kept", pattern ? 2 : 0, 0), of = l.size_or("of", 4);
  if (kept > of) return l.fail(error("shape-range", "a pattern keeps more weights than it has", l.item.span()));
  l.add(kept > 0 ? sparse_linear(l.name, l.flow.tokens, in, out, bias, kept, of, pattern)
                 : linear(l.name, l.flow.tokens, in, out, bias));
  l.flow.features = out;
}

void embedding_layer(const Layer& l) {
  l.known({"vocab", "width"});
  const std::int64_t tokens = l.flow.form == Flow::Form::sequence ? l.flow.tokens : l.flow.features;
  Spec spec(l.node, l.session);
  const std::int64_t vocabulary =
      l.node.is_mapping() ? spec.size("vocab", "rows of the table") : l.main_size("vocab", "rows of the table");
  const std::int64_t width = l.node.is_mapping() ? spec.size("width", "numbers per row") : 1;
  l.add(embedding(l.name, tokens, vocabulary, width));
  l.flow.form = Flow::Form::sequence;
  l.flow.tokens = tokens;
  l.flow.features = width;
}

void recurrent(const Layer& l, std::string_view kind) {
  l.known({"hidden", "layers", "bidirectional", "biases", "projected"});
  if (l.flow.form == Flow::Form::image) flatten(l);
  const std::int64_t hidden = l.main_size("hidden", "hidden size"), layers = l.size_or("layers", 1),
                     biases = l.size_or("biases", 2, 0);
  const std::int64_t directions = l.flag("bidirectional", false) ? 2 : 1,
                     projected = kind == "lstm" ? l.size_or("projected", 0, 0) : 0;
  const std::int64_t steps = l.flow.form == Flow::Form::sequence ? l.flow.tokens : l.steps;
  const std::int64_t out = directions * (projected > 0 ? projected : hidden);
  for (std::int64_t i = 0; i < std::min<std::int64_t>(layers, 2); ++i) {
    const Scope copies(l.sink, l.name, i == 0 ? 1 : layers - 1);
    const std::int64_t in = i == 0 ? l.flow.features : out;
    if (kind == "lstm") l.sink.add(lstm(l.name, steps, in, hidden, directions, biases, projected));
    if (kind == "gru") l.sink.add(gru(l.name, steps, in, hidden, directions, biases));
    if (kind == "rnn") l.sink.add(rnn(l.name, steps, in, hidden, directions, biases));
  }
  l.flow.features = out;
}
void lstm_layer(const Layer& l) { recurrent(l, "lstm"); }
void gru_layer(const Layer& l) { recurrent(l, "gru"); }
void rnn_layer(const Layer& l) { recurrent(l, "rnn"); }

// Everything between a layer and `steps` goes through this, so that blocks of parts repeat too.
struct StepSink final : Sink {
  Sink& to;
  std::int64_t steps;
  StepSink(Sink& sink, std::int64_t n) : to(sink), steps(n) {}
  void enter(std::string_view name, std::int64_t repeat, BlockKind kind) override { to.enter(name, repeat, kind); }
  void leave() override { to.leave(); }
  void add(const Op& op) override { to.add(Op(op).repeated(op.times * steps)); }
};

void attention_layer(const Layer& l) {
  l.known({"heads", "kv_heads", "head_dim", "mask", "window", "bias", "rotary"});
  if (!l.expects(Flow::Form::sequence, "a sequence")) return;
  AttentionPart p;
  p.name = l.name;
  p.width = l.flow.features;
  p.heads = l.main_size("heads", "heads");
  p.kv_heads = l.size_or("kv_heads", p.heads);
  p.head_dim = l.size_or("head_dim", 0, 0);
  const Node at = l.node.is_mapping() ? l.node.find("heads") : l.node;
  if (p.head_dim == 0 && p.width % p.heads != 0) {
    Diagnostic problem =
        error("shape-divide",
              "heads " + std::to_string(p.heads) + " do not divide the width " + std::to_string(p.width), at.span());
    problem.labels.push_back({l.flow.made_by.span(), "the width comes out of this"});
    return l.fail(std::move(problem));
  }
  if (p.head_dim == 0) p.head_dim = p.width / p.heads;
  if (p.heads % p.kv_heads != 0)
    return l.fail(error("shape-divide",
                        "kv_heads " + std::to_string(p.kv_heads) + " do not divide heads " + std::to_string(p.heads),
                        l.item.span()));
  p.q_bias = p.k_bias = p.v_bias = p.out_bias = l.flag("bias", false);
  p.rotary_dim = l.flag("rotary", false) ? -1 : 0;
  p.span = l.size_or("window", 0, 0);
  p.mask = p.span > 0                           ? AttentionMask::causal_window
           : l.word("mask", "causal") == "none" ? AttentionMask::none
                                                : AttentionMask::causal;
  StepSink sink(l.sink, l.steps);
  describe_attention(p, l.flow.tokens, sink);
}

void mlp_layer(const Layer& l) {
  l.known({"ffn", "gated", "bias", "activation", "experts", "top_k", "shared_ffn"});
  StepSink sink(l.sink, l.steps);
  const std::int64_t ffn = l.main_size("ffn", "width of the feed-forward layer"), experts = l.size_or("experts", 0, 0);
  const bool gated = l.flag("gated", false), bias = l.flag("bias", false);
  const Activation kind =
      l.node.is_mapping()
          ? Spec(l.node, l.session).activation("activation", gated ? Activation::silu : Activation::gelu)
          : Activation::gelu;
  if (experts == 0)
    return describe_mlp({.name = l.name,
                         .width = l.flow.features,
                         .ffn = ffn,
                         .gated = gated,
                         .up_bias = bias,
                         .down_bias = bias,
                         .activation = kind},
                        l.flow.tokens, sink);
  MoePart moe;
  moe.name = l.name;
  moe.width = l.flow.features;
  moe.expert_ffn = ffn;
  moe.experts = experts;
  moe.top_k = Spec(l.node, l.session).size("top_k", "experts per token");
  moe.shared_ffn = l.size_or("shared_ffn", 0, 0);
  moe.gated = gated;
  moe.activation = kind;
  if (moe.top_k > moe.experts)
    return l.fail(
        error("shape-experts",
              "each token uses " + std::to_string(moe.top_k) + " of " + std::to_string(moe.experts) + " experts",
              l.item.span()));
  describe_moe(moe, l.flow.tokens, sink);
}

void residual_layer(const Layer& l) {
  const Flow in = l.flow;
  {
    const Scope scope(l.sink, l.name);
    if (!describe_layers(l.node, l.flow, l.session, l.sink, l.steps, l.depth + 1)) return;
  }
  if (l.flow.text() != in.text()) {
    Diagnostic problem = error(
        "shape-join", in.text() + " goes into this residual, but " + l.flow.text() + " comes out: they cannot be added",
        l.item.span());
    problem.labels.push_back({l.flow.made_by.span(), "comes out of this"});
    return l.fail(std::move(problem));
  }
  l.add(residual(l.flow.elements()));
}

void branches_layer(const Layer& l) {
  const Node list = l.node.is_mapping() ? l.node.find("of") : l.node;
  const bool add = l.word("join", "concat") == "add";
  if (!list.is_sequence() || list.size() == 0)
    return l.fail(wrong_type(l.node, "a list of lists of layers, or {of: [...], join: add}"));
  const Flow in = l.flow;
  Flow out;
  bool first = true;
  {
    const Scope scope(l.sink, l.name, 1, BlockKind::branches);
    for (Node branch : list) {
      Flow flow = in;
      const Scope one(l.sink, "branch");
      if (!describe_layers(branch, flow, l.session, l.sink, l.steps, l.depth + 1)) return;
      const bool image = flow.form == Flow::Form::image;
      const bool joins =
          first || (flow.form == out.form && (add     ? flow.text() == out.text()
                                              : image ? flow.height == out.height && flow.width == out.width
                                                      : flow.tokens == out.tokens));
      if (!joins) {
        Diagnostic problem =
            error("shape-join", "the branches give " + out.text() + " and " + flow.text() + ", which cannot be joined",
                  branch.span());
        problem.labels.push_back({list[std::size_t{0}].span(), "the first branch"});
        return l.fail(std::move(problem));
      }
      if (first || add) {
        out = flow;
      } else if (image) {
        out.channels += flow.channels;
      } else {
        out.features += flow.features;
      }
      first = false;
    }
  }
  l.flow = out;
  l.add(add ? elementwise("add", out.elements()) : move("concat", out.elements()));
}

void loss_layer(const Layer& l) {
  l.sink.add(cross_entropy(l.name, l.flow.tokens * l.steps,
                           l.flow.form == Flow::Form::image ? l.flow.elements() : l.flow.features));
}

struct Known {
  std::string_view key;
  void (*describe)(const Layer&);
};
constexpr Known kKnown[] = {
    {"conv", conv},
    {"conv_transposed", conv_transposed},
    {"max_pool", max_pool},
    {"average_pool", average_pool},
    {"global_pool", global_pool},
    {"upsample", upsample},
    {"batch_norm", batch_norm_layer},
    {"layer_norm", layer_norm_layer},
    {"rms_norm", rms_norm_layer},
    {"group_norm", group_norm_layer},
    {"activation", activation_layer},
    {"dropout", dropout_layer},
    {"softmax", softmax_layer},
    {"flatten", flatten},
    {"linear", linear_layer},
    {"embedding", embedding_layer},
    {"lstm", lstm_layer},
    {"gru", gru_layer},
    {"rnn", rnn_layer},
    {"attention", attention_layer},
    {"mlp", mlp_layer},
    {"residual", residual_layer},
    {"branches", branches_layer},
    {"loss", loss_layer},
};

class Frozen final : public Sink {
 public:
  explicit Frozen(Sink& to) : to_(to) {}
  void enter(std::string_view name, std::int64_t repeat, BlockKind kind) override { to_.enter(name, repeat, kind); }
  void leave() override { to_.leave(); }
  void add(const Op& op) override { to_.add(Op(op).with(op_flags::frozen)); }

 private:
  Sink& to_;
};

// {repeat: 3, layers: [...]}: the shape must come out as it went in, or the copies would not be equal.
void repeated(Node item, Flow& flow, Spec::Session& session, Sink& sink, std::int64_t steps, int depth) {
  Spec spec(item, session);
  const std::int64_t copies = spec.size("repeat", "copies", 0);
  const Flow in = flow;
  const Scope scope(sink, item.find("name") ? item.find("name").text() : "block", copies, BlockKind::layer);
  if (!describe_layers(item.find("layers"), flow, session, sink, steps, depth + 1)) return;
  if (copies > 1 && flow.text() != in.text()) {
    Diagnostic problem =
        error("shape-join",
              in.text() + " goes into these repeated layers, but " + flow.text() + " comes out: the copies do not join",
              item.find("repeat").span());
    problem.labels.push_back({flow.made_by.span(), "comes out of this"});
    session.problems.push_back(std::move(problem));
  }
}

void describe_item(Node item, Flow& flow, Spec::Session& session, Sink& to, std::int64_t steps, int depth) {
  Frozen frozen(to);
  Sink& sink = item.find("frozen").as_bool().value_or(false) ? static_cast<Sink&>(frozen) : to;
  if (item.find("repeat")) return repeated(item, flow, session, sink, steps, depth);
  const Known* known = nullptr;
  Node value;
  for (Node entry : item) {
    if (entry.key() == "name" || entry.key() == "frozen") continue;
    const auto* found =
        std::find_if(std::begin(kKnown), std::end(kKnown), [&](const Known& k) { return k.key == entry.key(); });
    if (found == std::end(kKnown) || known != nullptr) {
      std::vector<std::string_view> names;
      for (const Known& k : kKnown) names.push_back(k.key);
      session.problems.push_back(known != nullptr ? error("unknown-key",
                                                          "a layer is one thing: '" + std::string(known->key) +
                                                              "' or '" + std::string(entry.key()) + "'",
                                                          entry.key_span())
                                                  : unknown_key(entry, names, "a layer"));
      return;
    }
    known = found;
    value = entry;
  }
  if (known == nullptr) {
    session.problems.push_back(error("missing-key", "a layer needs a key such as 'conv' or 'linear'", item.span()));
    return;
  }
  const std::string name(item.find("name") ? item.find("name").text() : known->key);
  known->describe({value, item, flow, session, sink, steps, depth, name});
  if (known->key != "flatten" && known->key != "residual" && known->key != "branches") flow.made_by = item;
}

}  // namespace

bool describe_layers(Node list, Flow& flow, Spec::Session& session, Sink& sink, std::int64_t steps, int depth) {
  if (depth > kDeepest) {
    session.problems.push_back(error("nested-too-deep", "layers are nested more than 32 deep", list.span()));
    return false;
  }
  if (!list.is_sequence()) {
    session.problems.push_back(list ? wrong_type(list, "a list of layers")
                                    : error("missing-key", "a block needs 'layers'", flow.made_by.span()));
    return false;
  }
  for (Node item : list) {
    if (item.is_scalar() && !item.is_null()) {  // "- flatten"
      session.problems.push_back(error("wrong-type",
                                       "a layer is a mapping, such as {" + std::string(item.text()) + ": ...}",
                                       item.span(), "write '- " + std::string(item.text()) + ":'"));
      return false;
    }
    if (!item.is_mapping()) {
      session.problems.push_back(wrong_type(item, "a layer (a mapping)"));
      return false;
    }
    const std::size_t before = session.problems.size();
    describe_item(item, flow, session, sink, steps, depth);
    if (session.problems.size() != before) return false;  // later shapes mean nothing
  }
  return true;
}

}  // namespace floptally::kinds
