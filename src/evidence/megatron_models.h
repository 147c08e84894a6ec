// Models that Megatron-LM's arguments describe and DecoderShape does not: stacks of written layer kinds (Mamba-2
// hybrids, irregular experts, experts in a latent space), T5, LLaVA.
#pragma once

#include "evidence/megatron_arguments.h"
#include "evidence/row.h"

namespace floptally {

enum class MegatronKind : std::uint8_t { decoder, hybrid, encoder_decoder, vision };
MegatronKind megatron_kind(const EvidenceRow& row, const MegatronArguments& a);

// Layers in order, each a string of parts: M Mamba-2, * attention, - dense, E experts; a GPT layer is "*-" or "*E".
struct MegatronStack {
  std::vector<std::string> layers;
  std::vector<std::string> extra;    // of one prediction head
  std::vector<std::int64_t> stages;  // layers of every pipeline chunk where the pattern says so
  std::int64_t heads = 0;            // prediction heads
  std::string reason;                // why it cannot be described
};
// The written pattern of a hybrid ("MEM*E|MEM-/*E"); or the decoder's layers where they are not regular, else empty.
MegatronStack megatron_stack(const EvidenceRow& row, const MegatronArguments& a);

// Gives the row its network where its shape alone does not say it; `row.shape` is read already. Sets row.reason where
// the arguments leave something open.
void build_megatron_model(EvidenceRow& row, const MegatronArguments& a);

}  // namespace floptally
