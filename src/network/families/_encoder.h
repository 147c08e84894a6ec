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
// BERT's layers as a tower inside another model: 12 of 768 where the keys are left out, and the tables of the published
// class.
BertSizes read_bert_tower(const Keys& t, std::int64_t vocabulary, std::int64_t positions, std::int64_t segments);
// Word, position (none where s.positions is 0) and segment embeddings with their norm.
void describe_bert_embeddings(Family& f, const BertSizes& s, std::int64_t embedded, bool normed = true);
// The masked-language-model head: dense, norm, logits tied to the embedding with a bias of their own.
void describe_masked_head(Family& f, std::int64_t width, std::int64_t embedded, std::int64_t vocabulary);
// What a text encoder's classes put on top.
struct EncoderHeads {
  bool pooler = true;          // the plain model ends in one
  bool always_pooled = false;  // so do the models with a head that does not read it
  bool own_dense = false;      // the sequence classifier has a dense layer of its own instead of the pooler
  bool choice_dense = true;    // without a pooler: the multiple-choice head has a dense layer
};
// Whether `f`'s class is one of those; reports one that is not known. Families call it before they describe anything.
bool check_encoder_class(const Family& f);
void describe_encoder_heads(Family& f, const EncoderHeads& heads, std::int64_t width, std::int64_t embedded,
                            std::int64_t vocabulary);

// Where BERT's kin differ. Positions: learned rows; `layer` describes what a layer has beside BERT's.
struct BertForm {
  EncoderHeads heads;
  std::int64_t positions_more = 0;
  bool positions = true, embedding_norm = true, final_norm = false;
  void (*after_embedding)(Family&, const BertSizes&) = nullptr;
  void (*layer)(Family&, const BertSizes&) = nullptr;  // instead of BERT's
};
void describe_bert(Family& f, BertSizes s, const BertForm& form);
// With the keys that read_bert() reads.
void describe_bert(Family& f, const BertForm& form);
// A decoder layer with causal self-attention and cross-attention to `memory` positions.
void describe_decoder_layer(const EncoderLayerPart& part, std::int64_t tokens, std::int64_t memory,
                            std::int64_t memory_width, Sink& sink);

}  // namespace floptally::families
