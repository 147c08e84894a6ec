// Any bytes as a table of training/ or evidence/ in the place of the shipped one with the same first line, or of the
// frameworks (--data), read by each command that predicts memory by it.
#include <filesystem>

#include "fuzz.h"

namespace {

constexpr const char* kRun =
    "run: 1\nmodel: gpt-2\ntrain: {batch: 8, sequence: 128}\nhardware: {device: H100-SXM, devices: 4}\n"
    "framework: megatron\noptimizer: adamw\nprecision: fp8\n";
constexpr const char* kRows =
    "src,model,layers,hidden,heads,vocab,gpu,n_gpus,tp,zero,micro_batch,global_batch,seq_len,precision,mem_reserved_"
    "gib\n"
    "Megatron-LM functional tests,llama,4,512,8,50257,h100,8,2,none,1,8,256,bf16,9\n"
    "litgpt,llama-2-7b,,,,,a100,8,1,fsdp,1,8,256,bf16-true,30\n";

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace floptally;
  const std::string_view text = fuzz::text_of(data, size);
  fuzz::write("run.yaml", kRun);
  fuzz::write("rows.csv", kRows);
  std::filesystem::remove_all("data");
  const std::string path = "data/" + fuzz::table_like(text, {"training/", "evidence/"}, "training/frameworks.csv");
  std::filesystem::create_directories(path.substr(0, path.rfind('/')));
  fuzz::write(path, text);
  fuzz::answer({"train", {"run.yaml"}, {}, "data"});
  fuzz::answer({"evidence", {"rows.csv"}, {{"rows", {}}}, "data"});
  return 0;
}
