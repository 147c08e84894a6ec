#include "network/formats/graph/keeping.h"

#include <algorithm>
#include <unordered_map>

#include "network/formats/graph/names.h"

namespace floptally::graph {
namespace {

struct Group {
  std::string_view names;  // separated by spaces: small letters and digits alone
  Nature nature;
};

// clang-format off
constexpr Group kGroups[] = {
    {"add addn addv2 biasadd sub subtract rsub neg negate sum rsubscalar", {Needs::nothing, Trait::arithmetic}},
    {"mean reducemean reducesum reduce logsumexp reducelogsumexp", {Needs::nothing, Trait::reduction}},
    {"identity cast convert reshape transpose squeeze unsqueeze flatten view broadcastindim expanddims permute t tocopy to float half "
     "bfloat16 typeas contiguous clone copy alias numpyt viewas readvariableop broadcast optimizationbarrier", {Needs::nothing, Trait::view}},
    {"split slice stridedslice chunk splitv splitwithsizes unbind select narrow", {Needs::nothing, Trait::part}},
    {"concat concatenate concatenation concatv2 cat stack pack unpack pad padv2 mirrorpad constantpadnd expand broadcastto tile gather "
     "gathernd gatherelements where selectv2 constantofshape resize upsample resizebilinear resizenearestneighbor upsamplenearest2d "
     "upsamplebilinear2d dropout cumsum roll flip reverse reversev2 scatter scatternd indexselect index spacetodepth depthtospace "
     "spacetobatchnd batchtospacend dynamicupdateslice pixelshuffle pixelunshuffle repeat triu tril maskedfill floor ceil round sign "
     "quantize dequantize", {Needs::nothing, Trait::none}},
    {"abs clip clamp erf log log1p pow power square hardswish hardsigmoid gelu fastgelu quickgelu biasgelu leakyrelu mish softplus swish silu "
     "elu selu celu relu6 hardtanh sin sine cos cosine clipbyvalue logsigmoid softsign atan relun1to1 relu0to1 logistichelper erfc "
     "clampmin clampmax", {Needs::input, Trait::arithmetic}},
    {"var varmean reducevariance norm linalgvectornorm reducel2 std", {Needs::input, Trait::reduction}},
    {"maxpool maxpool2d maxpool1d maxpool3d maxpool2dwithindices maxpool3dwithindices", {Needs::input, Trait::pool_maximum}},
    {"averagepool averagepool2d avgpool avgpool1d avgpool2d avgpool3d globalaveragepool globalmaxpool adaptiveavgpool1d adaptiveavgpool2d "
     "adaptiveavgpool3d lppool globallppool reducewindow l2pool2d localresponsenormalization l2normalization", {Needs::input, Trait::none}},
    {"instancenorm instancenormalization", {Needs::input, Trait::norm}},
    {"layernorm nativelayernorm batchnorm groupnorm nativegroupnorm rmsnorm nativebatchnorm fusedrmsnorm batchnormalization "
     "layernormalization groupnormalization rmsnormalization simplifiedlayernormalization fusedbatchnorm "
     "fusedbatchnormv2 fusedbatchnormv3 batchnorminference batchnormtraining nativebatchnormlegit nativebatchnormlegitnotraining "
     "nativebatchnormlegitfunctional meanvariancenormalization", {Needs::input, Trait::none}},
    {"exp exponential exponentialminusone expm1", {Needs::output, Trait::exponential}},
    {"relu sigmoid logistic tanh sqrt rsqrt reciprocal", {Needs::output, Trait::arithmetic}},
    {"softmax logsoftmax safesoftmax", {Needs::output, Trait::softmax}},
    {"mul multiply div divide realdiv divnonan", {Needs::other_sides, Trait::arithmetic}},
    {"max min maximum minimum squareddifference", {Needs::inputs, Trait::arithmetic}},
    {"reducemax reducemin", {Needs::nothing, Trait::reduction}},  // torch.max keeps where it stood: 8 bytes a row
    {"amax amin", {Needs::input, Trait::reduction}},
    {"matmul gemm batchmatmul batchmatmulv2 batchmatmulv3 bmm mm dotgeneral einsum", {Needs::inputs, Trait::product}},
};
// clang-format on

// "stablehlo.batch_norm_training", "add_" and "ReduceMean" as the table has them.
std::string plain(std::string_view op) {
  op.remove_prefix(std::min(op.rfind('.') + 1, op.size()));  // npos + 1 is 0
  std::string text;
  for (char c : op.substr(0, 64))
    if (c != '_') text += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

constexpr std::uint32_t kNone = kNoPiece;
constexpr std::uint16_t kDeepest = 60;          // values behind one another that one source is known of
constexpr std::size_t kMostPieces = 64;         // of a whole
constexpr std::uint32_t kMostScoreSteps = 200;  // looked at on the way from a softmax to its scores

bool is_arithmetic(Trait trait) {
  return trait == Trait::arithmetic || trait == Trait::exponential || trait == Trait::reduction || trait == Trait::view;
}

class Finder {
 public:
  Finder(const std::vector<Piece>& pieces, const std::vector<std::uint32_t>& uses)
      : pieces_(pieces), uses_(uses), known_(uses.size()), mark_(pieces.size(), 0) {
    found_.roles.assign(pieces.size(), by_operator);
  }

  Wholes run() {
    for (std::uint32_t n = 0; n < pieces_.size(); ++n) {
      const Piece& p = pieces_[n];
      if (p.out == kNone) continue;
      known_[p.out].maker = n;
      place(n);
      if (known_[p.out].source != kNone && distinct(p) > 1) whole(n);
      tail(n);
    }
    for (std::uint32_t n = 0; n < pieces_.size(); ++n)
      if (pieces_[n].nature.trait == Trait::product && pieces_[n].inputs == 2) attention(n);
    return std::move(found_);
  }

 private:
  struct Known {
    std::uint32_t maker = kNone;   // piece
    std::uint32_t source = kNone;  // the nearest value that all ways to this one pass
    std::uint16_t depth = 0;
    bool normed = false;            // a norm's numbers, before or after its scale
    bool soft = false;              // a softmax's numbers
    std::uint32_t scores = kNone;   // ... and what that softmax read, where it is in pieces
    std::uint32_t centred = kNone;  // what it is less a number a row of the same, which nothing keeps
  };

  static int distinct(const Piece& p) {
    int n = 0;
    for (int i = 0; i < p.inputs; ++i) n += std::find(p.in, p.in + i, p.in[i]) == p.in + i ? 1 : 0;
    return n;
  }

  std::uint32_t meet(std::uint32_t a, std::uint32_t b) const {
    while (a != b && a != kNone && b != kNone) {
      std::uint32_t& deeper = known_[a].depth >= known_[b].depth ? a : b;
      deeper = known_[deeper].source;
    }
    return a == b ? a : kNone;
  }

  // Where the piece's output stands below one source.
  void place(std::uint32_t n) {
    const Piece& p = pieces_[n];
    Known& out = known_[p.out];
    if (!is_arithmetic(p.nature.trait) || p.inputs == 0) return;
    std::uint32_t source = p.in[0];
    for (int i = 1; i < p.inputs && source != kNone; ++i) source = meet(source, p.in[i]);
    if (source == kNone || known_[source].depth >= kDeepest) return;
    out.source = source;
    out.depth = static_cast<std::uint16_t>(known_[source].depth + 1);
  }

  // The pieces between a value and a piece that reads it on several ways; empty if something outside reads them too.
  std::vector<std::uint32_t> between(std::uint32_t source, std::uint32_t last) {
    std::vector<std::uint32_t> region = {last};
    ++round_;
    mark_[last] = round_;
    for (std::size_t at = 0; at < region.size(); ++at) {
      const Piece& p = pieces_[region[at]];
      for (int i = 0; i < p.inputs; ++i) {
        if (p.in[i] == source) continue;
        const std::uint32_t maker = known_[p.in[i]].maker;
        if (maker == kNone || region.size() > kMostPieces) return {};
        if (mark_[maker] == round_) continue;
        mark_[maker] = round_;
        region.push_back(maker);
      }
    }
    std::sort(region.begin(), region.end());
    std::unordered_map<std::uint32_t, std::uint32_t> read;
    for (std::uint32_t n : region)
      for (int i = 0; i < pieces_[n].inputs; ++i) ++read[pieces_[n].in[i]];
    for (std::uint32_t n : region)
      if (n != last && read[pieces_[n].out] != uses_[pieces_[n].out]) return {};
    return region;
  }

  // What a whole starts from may itself be made of something that nothing else reads: an exponential, centred numbers.
  void widen(std::vector<std::uint32_t>& region) {
    for (int i = 0; i < 2; ++i) {
      const std::uint32_t source = pieces_[region.front()].in[0], maker = known_[source].maker;
      std::uint32_t read = 0;
      for (std::uint32_t n : region)
        read += static_cast<std::uint32_t>(std::count(pieces_[n].in, pieces_[n].in + pieces_[n].inputs, source));
      if (maker == kNone || read != uses_[source]) return;
      std::vector<std::uint32_t> more;
      if (known_[source].centred != kNone)
        more = between(known_[source].centred, maker);
      else if (pieces_[maker].nature.trait == Trait::exponential)
        more = {maker};
      region.insert(region.begin(), more.begin(), more.end());
    }
  }

  void whole(std::uint32_t last) {
    const std::uint32_t end = pieces_[last].out;
    std::vector<std::uint32_t> region = between(known_[end].source, last);
    if (region.empty()) return;
    widen(region);
    const std::uint32_t source = pieces_[region.front()].in[0];
    bool holds = false, means = false, exponentials = false, weights = false, reductions = false;
    for (std::uint32_t n : region) {
      const Piece& p = pieces_[n];
      const bool both = p.inputs > 1;
      const Needs needs = p.nature.needs;
      holds = holds || needs == Needs::output;
      for (int i = 0; i < p.inputs; ++i)
        holds = holds || (p.in[i] != source && (needs == Needs::input || needs == Needs::inputs ||
                                                (needs == Needs::other_sides && (both || p.weight))));
      reductions = reductions || p.nature.trait == Trait::reduction;
      means = means || (p.nature.trait == Trait::reduction && p.nature.needs != Needs::inputs);
      exponentials = exponentials || p.nature.trait == Trait::exponential;
      weights = weights || p.weight;
    }
    if (!holds && reductions) known_[end].centred = source;
    if (!holds || (weights && !means)) return;
    const bool softmax = exponentials && reductions;
    for (std::uint32_t n : region) {
      std::uint16_t& role = found_.roles[n];
      if (kind_of(role) != 0) --count(role);
      role = decided;
      if (softmax) continue;
      if (means && pieces_[n].nature.trait == Trait::reduction) role |= keeps_output;
      if (n == region.front()) role |= keeps_input;
    }
    std::uint16_t& role = found_.roles[last];
    if (softmax) role |= keeps_output;
    role |= softmax ? kSoftmax : means ? kNorm : kFunction;
    ++count(role);
    known_[end].normed = means && !softmax;
    known_[end].soft = softmax;
    if (softmax) known_[end].scores = source;
  }

  // A norm's scale: the whole norm makes again what the scale's gradient needs.
  void tail(std::uint32_t n) {
    const Piece& p = pieces_[n];
    Known& out = known_[p.out];
    if (p.nature.trait == Trait::norm) out.normed = true;
    if (p.nature.trait == Trait::softmax) out.soft = true;
    if (p.inputs != 1 || !is_arithmetic(p.nature.trait)) return;
    const Known& in = known_[p.in[0]];
    if (p.nature.trait == Trait::view) out.normed = in.normed, out.soft = in.soft;
    if (!in.normed || !p.weight || p.nature.needs != Needs::other_sides) return;
    found_.roles[n] = decided;
    out.normed = true;
  }

  const Piece* made_by(std::uint32_t value) const {
    const std::uint32_t maker = known_[value].maker;
    return maker == kNone ? nullptr : &pieces_[maker];
  }

  // Whether a value is some activation times a constant, seen through views.
  bool scaled(std::uint32_t value) const {
    const Piece* p = made_by(value);
    for (int i = 0; i < 6 && p != nullptr && p->inputs == 1 && p->nature.trait == Trait::view; ++i)
      p = made_by(p->in[0]);
    return p != nullptr && p->inputs == 1 && p->constant && !p->weight && p->nature.needs == Needs::other_sides;
  }

  // The product of queries and keys that a softmax reads, behind masks.
  const Piece* scores(std::uint32_t value, std::uint32_t& steps) const {
    const Piece* p = made_by(value);
    if (p == nullptr || ++steps > kMostScoreSteps) return nullptr;
    if (p->nature.trait == Trait::product) return p->inputs == 2 ? p : nullptr;
    if (p->nature.needs != Needs::nothing) return nullptr;
    for (int i = 0; i < p->inputs; ++i)
      if (const Piece* found = scores(p->in[i], steps); found != nullptr) return found;
    return nullptr;
  }

  void attention(std::uint32_t n) {
    std::uint32_t at = pieces_[n].in[0];
    if (!known_[at].soft) return;
    const Piece* soft = made_by(at);
    for (int i = 0; i < 6 && soft != nullptr && soft->inputs == 1 && soft->nature.trait == Trait::view; ++i)
      soft = made_by(at = soft->in[0]);
    if (soft == nullptr || uses_[at] != 1) return;
    std::uint32_t steps = 0;
    const std::uint32_t maker = known_[at].maker;
    const std::uint32_t read =
        soft->nature.trait == Trait::softmax && soft->inputs > 0 ? soft->in[0] : known_[at].scores;
    const Piece* product = read == kNone ? nullptr : scores(read, steps);
    if (product == nullptr || !scaled(product->in[0]) || !scaled(product->in[1])) return;
    if (kind_of(found_.roles[maker]) != 0) --count(found_.roles[maker]);
    found_.roles[maker] = decided | keeps_rows;
    found_.roles[n] = forgets_left | keeps_output;
    ++found_.attentions;
  }

  static constexpr std::uint16_t kNorm = 256, kFunction = 512, kSoftmax = 1024;
  static std::uint16_t kind_of(std::uint16_t role) { return role & (kNorm | kFunction | kSoftmax); }
  int& count(std::uint16_t role) {
    return (role & kNorm) != 0 ? found_.norms : (role & kSoftmax) != 0 ? found_.softmaxes : found_.functions;
  }

  const std::vector<Piece>& pieces_;
  const std::vector<std::uint32_t>& uses_;
  std::vector<Known> known_;
  std::vector<std::uint32_t> mark_;
  std::uint32_t round_ = 0;
  Wholes found_;
};

}  // namespace

Nature nature_of(std::string_view op) {
  static const std::unordered_map<std::string_view, Nature> rows = [] {
    std::unordered_map<std::string_view, Nature> t;
    each_name(kGroups, [&](std::string_view name, const Group& group) { t.emplace(name, group.nature); });
    return t;
  }();
  const auto at = rows.find(plain(op));
  return at == rows.end() ? Nature{} : at->second;
}

void Wholes::add(const Wholes& other) {
  norms += other.norms;
  functions += other.functions;
  softmaxes += other.softmaxes;
  attentions += other.attentions;
}

std::string Wholes::text() const {
  std::string list;
  const auto say = [&list](int count, std::string_view one, std::string_view many) {
    if (count == 0) return;
    list += (list.empty() ? "" : ", ") + std::to_string(count) + " " + std::string(count == 1 ? one : many);
  };
  say(norms, "norm", "norms");
  say(functions, "activation function", "activation functions");
  say(softmaxes, "softmax", "softmaxes");
  say(attentions, "scaled_dot_product_attention", "scaled_dot_product_attentions");
  return "in pieces, kept as whole operators keep: " + list;
}

Wholes find_wholes(const std::vector<Piece>& pieces, const std::vector<std::uint32_t>& uses) {
  return Finder(pieces, uses).run();
}

}  // namespace floptally::graph
