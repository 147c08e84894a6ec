#include "network/families/_swin.h"

namespace floptally::families {
namespace {

constexpr std::string_view kTypes[] = {"swin", "swinv2", "donut-swin"};
constexpr std::string_view kArchitectures[] = {
    "SwinForImageClassification",     "SwinModel", "Swinv2ForImageClassification", "Swinv2Model", "DonutSwinModel",
    "DonutSwinForImageClassification"};

void describe_swin(Family& f) {
  const Keys& c = f.config;
  const SwinBody body = read_swin(c);
  // Donut reads pages: height and width.
  const std::string_view type = c.text_or("model_type", "swin");
  const std::vector<std::int64_t> sides =
      c.node("image_size").is_sequence() ? c.config().sizes({"image_size"}) : std::vector<std::int64_t>{};
  const bool page = sides.size() == 2;
  const std::int64_t image = page ? std::min(sides[0], sides[1]) : c.size("image_size"),
                     side = body.patch > 0 ? image / body.patch : 0;
  const bool classifies = f.architecture().find("ForImageClassification") != std::string_view::npos;
  if (const std::string_view named = f.architecture(); !named.empty() && !classifies && !named.ends_with("Model"))
    c.problem("unknown-variant", "architectures", "the head of class '" + std::string(named) + "' is not known");
  const std::int64_t labels = classifies ? label_count(c) : 0;
  if (f.ok() && side < body.window)
    c.problem("shape-range", "window_size", "'window_size' is larger than the patches of a side");
  if (!f.ok()) return;
  const std::int64_t whole = side * body.patch;
  const Map last = describe_swin_body(f, body, page ? sides[0] : whole, page ? sides[1] : whole).back();
  const std::int64_t width = body.width << (body.depths.size() - 1);
  if (type != "donut-swin") f.sink.add(layer_norm("layernorm", last.positions(), width));
  if (labels > 0) f.sink.add(linear("classifier", 1, width, labels, true, Component::head));
}

}  // namespace

extern const FamilyDef k_swin;
const FamilyDef k_swin = {
    "swin",
    "Swin 1 and 2, Donut's: attention inside shifted windows with relative positions, four stages that merge patches",
    "huggingface/transformers models/swin/modeling_swin.py, models/swinv2; 2103.14030, 2111.09883",
    kTypes,
    kArchitectures,
    build<describe_swin>,
    "image"};

}  // namespace floptally::families
