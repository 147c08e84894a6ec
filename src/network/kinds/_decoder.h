// `kind: decoder` as a DecoderShape; shared by whoever reads such a mapping.
#pragma once

#include "network/blocks/decoder.h"
#include "network/spec.h"

namespace floptally::kinds {

// Reports what is missing or wrong to the spec's session; the shape still has to pass validate().
DecoderShape read_decoder(Spec& spec);
NormKind norm_kind(std::string_view word);

}  // namespace floptally::kinds
