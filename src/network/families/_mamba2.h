// What hybrids of attention and Mamba-2 say of their mixers (Dao and Gu 2405.21060) in the words of Bamba's config.
#pragma once

#include <algorithm>

#include "network/blocks/mixers.h"
#include "network/families/_common.h"

namespace floptally::families {

inline Mamba2Part read_mamba2(const Keys& c, std::int64_t width) {
  Mamba2Part mamba;
  mamba.width = width;
  mamba.heads = c.size("mamba_n_heads");
  const std::int64_t inner = c.size_or("mamba_expand", 2) * width;
  mamba.head_dim = c.text_or("mamba_d_head", "auto") == "auto" ? std::max<std::int64_t>(1, inner / mamba.heads)
                                                               : c.size("mamba_d_head");
  mamba.state = c.size("mamba_d_state");
  mamba.groups = c.size_or("mamba_n_groups", 1);
  mamba.kernel = c.size_or("mamba_d_conv", 4);
  mamba.convolution_bias = c.flag("mamba_conv_bias", true);
  mamba.bias = c.flag("mamba_proj_bias", false);
  return mamba;
}

}  // namespace floptally::families
