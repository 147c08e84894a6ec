#include "network/blocks/image.h"

#include <algorithm>

namespace floptally {

namespace {
std::int64_t at_least_one(std::int64_t size, bool& failed) {
  if (size >= 1) return size;
  failed = true;
  return 1;
}
}  // namespace

void ImageStack::read(const Op& op) {
  sink.add(held ? Op(op).with(op_flags::shared_input) : op);
  held = false;
}

void ImageStack::act(Activation kind) {
  if (keeps_output(kind)) {
    sink.add(floptally::activation("act", elements(), kind));
    held = true;
  } else {
    read(floptally::activation("act", elements(), kind));
  }
}

void ImageStack::conv(std::string_view name, const Conv& c) {
  const std::int64_t kernel_width = c.kernel_width > 0 ? c.kernel_width : c.kernel;
  const std::int64_t padding = c.padding < 0 ? c.dilation * (c.kernel - 1) / 2 : c.padding;
  const std::int64_t padding_width = c.padding_width >= 0 ? c.padding_width
                                     : c.padding < 0      ? c.dilation * (kernel_width - 1) / 2
                                                          : padding;
  const std::int64_t from = positions();
  const std::int64_t h = at_least_one(convolved(height, c.kernel, c.stride, padding, c.dilation), failed);
  const std::int64_t w = at_least_one(convolved(width, kernel_width, c.stride, padding_width, c.dilation), failed);
  if (c.groups < 1 || channels % c.groups != 0 || c.out % c.groups != 0) failed = true;
  read(convolution(name, channels, c.out, std::max<std::int64_t>(c.groups, 1), c.kernel * kernel_width, from, h * w,
                   c.bias));
  channels = c.out;
  height = h;
  width = w;
}

void ImageStack::conv_transposed(std::string_view name, std::int64_t out, std::int64_t kernel, std::int64_t stride,
                                 std::int64_t padding, std::int64_t output_padding, std::int64_t groups, bool bias) {
  const std::int64_t from = positions();
  const std::int64_t h = at_least_one(convolved_transposed(height, kernel, stride, padding, output_padding), failed);
  const std::int64_t w = at_least_one(convolved_transposed(width, kernel, stride, padding, output_padding), failed);
  if (groups < 1 || channels % groups != 0 || out % groups != 0) failed = true;
  read(convolution_transposed(name, channels, out, std::max<std::int64_t>(groups, 1), kernel * kernel, from, h * w,
                              bias));
  channels = out;
  height = h;
  width = w;
}

void ImageStack::conv_norm(std::string_view name, const Conv& c, Activation kind) {
  conv(name, c);
  batch_norm("bn");
  if (kind != Activation::identity) act(kind);
}

void ImageStack::pooling(std::int64_t kernel, std::int64_t stride, std::int64_t padding, bool ceiling, bool maximum) {
  const std::int64_t from = positions();
  const std::int64_t h = at_least_one(convolved(height, kernel, stride, padding, 1, ceiling), failed);
  const std::int64_t w = at_least_one(convolved(width, kernel, stride, padding, 1, ceiling), failed);
  read(pool("pool", channels, from, h * w, kernel * kernel, maximum));
  height = h;
  width = w;
}

void ImageStack::pool_to(std::int64_t out_height, std::int64_t out_width) {
  const std::int64_t from = positions(), to = out_height * out_width;
  read(pool("avgpool", channels, from, to, std::max<std::int64_t>(1, from / to), false));
  height = out_height;
  width = out_width;
}

void ImageStack::upsample(std::int64_t factor, std::int64_t neighbours) {
  const std::int64_t from = elements();
  height *= factor;
  width *= factor;
  sink.add(resize("upsample", elements(), from, neighbours));
  held = false;
}

void ImageStack::concat(std::int64_t more_channels) {
  channels += more_channels;
  sink.add(move("concat", elements()));
  held = false;
}

void ImageStack::squeeze_excite(std::int64_t squeezed, Activation inner, Activation gate) {
  const std::int64_t whole = channels;
  const Scope scope(sink, "se");
  {
    const Scope branches(sink, {}, 1, BlockKind::branches);
    const Scope squeeze(sink, {});
    ImageStack map = *this;
    map.read(pool("avgpool", whole, positions(), 1, positions(), false));
    sink.add(convolution("fc1", whole, squeezed, 1, 1, 1, 1, true));
    sink.add(floptally::activation("act", squeezed, inner));
    sink.add(convolution("fc2", squeezed, whole, 1, 1, 1, 1, true)
                 .with(keeps_output(inner) ? op_flags::shared_input : std::uint16_t{0}));
    sink.add(floptally::activation("gate", whole, gate));
  }
  sink.add(elementwise("scale", elements(), 2, 1, 1).with(op_flags::shared_input));  // the pool keeps the map
  held = false;
}

void ImageStack::linear(std::string_view name, std::int64_t out, bool bias, Component component) {
  read(floptally::linear(name, 1, elements(), out, bias, component));
  channels = out;
  height = width = 1;
}

std::int64_t make_divisible(double value, std::int64_t divisor) {
  const auto rounded = static_cast<std::int64_t>(value + static_cast<double>(divisor) / 2) / divisor * divisor;
  const std::int64_t result = std::max(divisor, rounded);
  return static_cast<double>(result) < 0.9 * value ? result + divisor : result;
}

}  // namespace floptally
