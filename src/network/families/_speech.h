// What models speak with behind their language model: they run when audio is asked for, not while the text is trained,
// so callers hand in a RepeatedSink of 0 times: their parameters count, their FLOP do not. `c` is the mapping of each.
#pragma once

#include "network/families/_common.h"

namespace floptally::families {

// Qwen2.5-Omni's talker: a Qwen 2 decoder over codes, whose embedding is as wide as the thinker.
void describe_qwen2_talker(const Family& f, const Keys& c, Sink& sink);
// Its diffusion transformer from codes to a spectrogram, with the speaker's encoder (ECAPA-TDNN).
void describe_speech_dit(const Keys& c, Sink& sink);
// BigVGAN (2206.04658): a spectrogram to a wave, with a snake of two numbers a channel for an activation.
void describe_bigvgan(const Keys& c, Sink& sink);
// Qwen3-Omni's talker: a decoder with routed and shared experts, and a small one that predicts the other codes.
void describe_qwen3_talker(const Family& f, const Keys& c, Sink& sink);
// Its decoder from codes to a wave.
void describe_code2wav(const Keys& c, Sink& sink);

}  // namespace floptally::families
