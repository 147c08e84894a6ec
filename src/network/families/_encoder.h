// What encoder families share: BERT's embeddings and heads, decoder layers with cross-attention, label counts.
#pragma once

#include "network/blocks/tower.h"
#include "network/families/_common.h"

namespace floptally::families {

struct BertSizes {
  EncoderLayerPart layer;  // post-norm, biases
  std::int64_t layers = 1, vocabulary = 1, positions = 1, segments = 0;
};
BertSizes read_bert(Family& f);
// Word, position (none where s.positions is 0) and segment embeddings with their norm.
void describe_bert_embeddings(Family& f, const BertSizes& s, std::int64_t embedded);
// The masked-language-model head: dense, norm, logits tied to the embedding with a bias of their own.
void describe_masked_head(Family& f, std::int64_t width, std::int64_t embedded, std::int64_t vocabulary);
// BERT or RoBERTa, with the pooler or the head of the class that the config names.
void describe_bert(Family& f, std::int64_t padding_rows, std::string_view stem);
// A decoder layer with causal self-attention and cross-attention to `memory` positions.
void describe_decoder_layer(const EncoderLayerPart& part, std::int64_t tokens, std::int64_t memory,
                            std::int64_t memory_width, Sink& sink);

}  // namespace floptally::families
