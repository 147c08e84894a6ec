#include "network/families/_encoder.h"
#include "network/families/_segmentation.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"maskformer"};
constexpr std::string_view kArchitectures[] = {"MaskFormerForInstanceSegmentation", "MaskFormerModel"};

struct Queries {
  std::int64_t width = 256, layers = 6, heads = 8, ffn = 2048, count = 100;
};

Queries read_queries(const Keys& d) {
  Queries q;
  q.width = d.assume("d_model", 256);
  q.layers = d.assume("decoder_layers", 6);
  q.heads = d.assume("decoder_attention_heads", 8);
  q.ffn = d.assume("decoder_ffn_dim", 2048);
  q.count = d.assume("num_queries", 100);
  d.divides("decoder_attention_heads", q.heads, "d_model", q.width);
  d.understood({"encoder_layers",
                "encoder_ffn_dim",
                "encoder_attention_heads",
                "encoder_layerdrop",
                "decoder_layerdrop",
                "activation_function",
                "auxiliary_loss",
                "position_embedding_type",
                "backbone",
                "use_pretrained_backbone",
                "use_timm_backbone",
                "backbone_config",
                "backbone_kwargs",
                "dilation",
                "class_cost",
                "bbox_cost",
                "giou_cost",
                "mask_loss_coefficient",
                "dice_loss_coefficient",
                "bbox_loss_coefficient",
                "giou_loss_coefficient",
                "eos_coefficient",
                "num_channels",
                "num_hidden_layers",
                "max_position_embeddings",
                "scale_embedding"});
  return q;
}

// A feature pyramid: the smallest map, then each larger one added to what comes up.
void describe_pyramid(Family& f, std::int64_t width, std::int64_t mask, const std::vector<Map>& maps) {
  constexpr std::int64_t kGroups = 32;
  const Scope scope(f.sink, "decoder");
  const auto convolved = [&](ImageStack& s, std::string_view name, std::int64_t kernel, bool active) {
    s.conv(name, {.out = width, .kernel = kernel, .padding = kernel / 2});
    s.group_norm("norm", kGroups);
    if (active) s.act(Activation::relu);
  };
  const Map& last = maps.back();
  ImageStack now{f.sink, last.channels, last.height, last.width};
  convolved(now, "stem", 3, true);
  for (std::size_t i = maps.size() - 1; i > 0; --i) {
    ImageStack side{f.sink, maps[i - 1].channels, maps[i - 1].height, maps[i - 1].width};
    convolved(side, "proj", 1, false);
    f.sink.add(resize("upsample", side.elements(), now.elements(), 1));
    side.residual();
    convolved(side, "block", 3, true);
    now.become(side);
  }
  now.conv("mask_projection", {.out = mask, .kernel = 3, .padding = 1, .bias = true});
}

void describe_maskformer(Family& f) {
  const Keys& c = f.config;
  const std::string_view named = f.architecture();
  const std::int64_t width = c.assume("fpn_feature_size", 256), mask = c.assume("mask_feature_size", 256);
  const Queries q = read_queries(c.child("decoder_config"));
  const Eyes eyes = read_eyes(f);
  const bool plain = named.ends_with("Model");
  if (!named.empty() && !plain && !named.ends_with("ForInstanceSegmentation"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t labels = plain ? 0 : label_count(c) + 1;
  const bool every = c.flag("use_auxiliary_loss", false);
  c.understood({"no_object_weight", "output_auxiliary_logits", "dice_weight", "cross_entropy_weight", "mask_weight",
                "num_attention_heads", "num_hidden_layers", "init_std", "init_xavier_std", "backbone",
                "backbone_kwargs", "use_pretrained_backbone", "use_timm_backbone"});
  const Map image = detector_image(f, {3, 384, 384});
  if (!f.ok()) return;
  const std::vector<Map> maps = describe_eyes(f, eyes, image);
  const Map& last = maps.back();
  if (eyes.windows) f.sink.add(layer_norm("layernorm", last.positions(), last.channels));
  describe_pyramid(f, width, mask, maps);
  {
    const Scope scope(f.sink, "transformer_module");
    if (last.channels != q.width)
      f.sink.add(
          convolution("input_projection", last.channels, q.width, 1, 1, last.positions(), last.positions(), true));
    f.sink.add(parameter("queries_embedder", q.count * q.width, q.count * q.width, Component::embed));
    {
      const Scope layers(f.sink, "layers", q.layers, BlockKind::layer);
      describe_reading(f.sink, "self_attn", q.width, q.heads, q.count, q.count);
      describe_added(f.sink, "self_attn_layer_norm", q.count, q.width);
      describe_reading(f.sink, "encoder_attn", q.width, q.heads, q.count, last.positions());
      describe_added(f.sink, "encoder_attn_layer_norm", q.count, q.width);
      describe_mlp(mlp_of(q.width, q.ffn, Activation::relu, false, true), q.count, f.sink);
      describe_added(f.sink, "final_layer_norm", q.count, q.width);
    }
    f.sink.add(layer_norm("layernorm", q.count, q.width));
  }
  if (plain) return;
  RepeatedSink heads(f.sink, every ? q.layers : 1);  // with losses of all layers, behind each
  heads.add(linear("class_predictor", q.count, q.width, labels, true, Component::head));
  describe_stack(heads, "mask_embedder", q.count, q.width, q.width, mask, 3);
  heads.add(matmul("masks", 1, q.count, mask, maps[0].positions(), 2, Component::head));
}

}  // namespace

extern const FamilyDef k_maskformer;
const FamilyDef k_maskformer = {
    "maskformer",
    "MaskFormer: Swin or ResNet, a pyramid of its maps, DETR's queries over the smallest, a mask for each",
    "huggingface/transformers models/maskformer/modeling_maskformer.py; 2107.06278",
    kTypes,
    kArchitectures,
    build<describe_maskformer>,
    "image"};

}  // namespace floptally::families
