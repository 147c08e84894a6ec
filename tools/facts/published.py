"""Facts of published runs that the condensed database lacks or has as another quantity, each read in the row's own notes or
in the source named. tools/make-published.py joins them to the database rows.

A row of FACTS changes only facts (tokens seen, active parameters, the base model), never the published compute: where
that is wrong, FAULTS says so and the row is kept out of every score."""

# database name -> facts
FACTS = {
    "AlexNet": dict(passes=90, why="notes: 1.2M images, 90 epochs"),
    "Viking": dict(tokens=1.3e12, why="the release at 1.3T tokens is what the compute is for"),
    "Polyglot-Ko-12.8B": dict(tokens=167e9, why="trained for 167 billion tokens; the dataset size is in words"),
    "ERNIE 3.0": dict(tokens=375e9, why="paper section 3.3.3: 375 billion tokens"),
    "GPT-NeoX-20B": dict(tokens=472e9, parameters=20554567680, why="Black et al. 2022; the database has the dataset in words"),
    "GPT-Neo-2.7B": dict(tokens=420e9, why="model card EleutherAI/gpt-neo-2.7B: 420 billion tokens"),
    "T5-11B": dict(tokens=1e12, kind="encoder-decoder", why="Brown et al. 2020 table D.1; a token passes through half of the parameters"),
    "T5-3B": dict(tokens=1e12, kind="encoder-decoder", why="Brown et al. 2020 table D.1"),
    "DBRX": dict(active=36e9, tokens=12e12, kind="moe", why="notes: 36 billion active parameters, 12 trillion tokens; the database has words"),
    "InternLM-XComposer": dict(tokens=15.7e6 * 8000, why="notes: 15.7 million tokens a step, 8,000 steps"),
    "OLMoE": dict(active=1.3e9, tokens=5.1e12, kind="moe", why="notes: 1.3B of 6.9B parameters active, 5.1 trillion tokens"),
    "Yuan 1.0": dict(tokens=180e9, why="Wu et al. 2021: 180 billion tokens"),
    "Hunyuan-Large": dict(active=52e9, kind="moe", why="notes: 52B activated parameters"),
    "Phi-2": dict(tokens=1.4e12, why="notes: 1.4T tokens from multiple passes"),
    "XGLM-7.5B": dict(tokens=500e9, why="notes: 500B tokens"),
    "LaMDA": dict(tokens=768e9, hfu=True, why="Thoppilan et al. 2022; 56.5% is hardware FLOP"),
    "NLLB": dict(kind="moe", why="mixture of experts; active parameters not stated"),
    "Llama 4 Behemoth": dict(active=288e9, kind="moe", why="Meta: 288B active parameters"),
    "ST-MoE": dict(active=32e9, passes=1, kind="moe", why="notes: cost comparable to a 32B dense model, 1.5T tokens"),
    "ALLaM adapted13B": dict(tokens=1.2e12, passes=1, base_flop=7.8e22, base="LLaMA-13B", why="notes"),
    "ALLaM 7B": dict(tokens=1.2e12, passes=1, base_flop=4e22, base="LLaMA-7B", why="notes"),
    "TigerBot-70B": dict(base_flop=8.1e23, why="notes: continues Llama 2-70B"),
    "Code Llama-34B": dict(base_flop=4.08e23, why="notes: Llama 2-34B on 2T tokens"),
    "DeepSeekMath 7B": dict(base_flop=8.04e22, why="notes"),
    "NVLM-H 72B": dict(base_flop=3.02e24, why="notes: Qwen2-72B"),
    "NVLM-D 72B": dict(base_flop=3.02e24, why="notes: Qwen2-72B"),
    "NVLM-X 72B": dict(base_flop=3.02e24, why="notes: Qwen2-72B"),
    "GShard (dense)": dict(tokens=1.2e12, why="notes: 300k steps of 4M tokens"),
    "GLaM": dict(active=96.6e9, kind="moe", why="notes: 96.6 billion parameters per token"),
    "InternLM": dict(tokens=1e12, why="notes: over a trillion tokens"),
    "MADLAD-400 10B": dict(tokens=250e9, why="notes: trained on 250 billion tokens"),
    "XLM-RoBERTa": dict(tokens=1.5e6 * 8192 * 512, why="notes: 1.5 million updates of 8,192 sequences of 512"),
    "BlenderBot 3": dict(base_flop=4.3e23, why="notes: OPT-175B"),
    "EXAONE Deep 32B": dict(base_flop=1.25e24, why="notes: EXAONE 3.5 32B"),
    "LIMA": dict(base_flop=5.5e23, why="notes: LLaMA-65B"),
    "LLaVA 1.5": dict(base_flop=7.8e22, why="notes: Vicuna-13B"),
    "LLaMA-7B (protein-oriented instruction-tuned)": dict(base_flop=2.78e22, why="notes"),
    "Llama Guard": dict(base_flop=8.4e22, why="Llama 2-7B by the name of its base"),
    "M6-T": dict(kind="moe", why="mixture of experts; active parameters not stated"),
    "M6-10T": dict(kind="moe", why="mixture of experts; active parameters not stated"),
    "MoE-1.1T": dict(kind="moe", why="mixture of experts; active parameters not stated"),
    "LiMoE": dict(active=675e6, kind="moe", why="notes: 675M parameters per token"),
    "Sparse all-MLP": dict(kind="moe", why="sparse; active parameters not stated"),
    "PanGu-Σ": dict(kind="moe", why="sparse; active parameters not stated"),
    "Word2Vec (large)": dict(kind="embedding", why="a token touches a few rows of the embedding only"),
    "TransE": dict(kind="embedding", why="a triple touches three rows of the embedding only"),
    "GPT-1": dict(passes=100, why="notes: 100 epochs"),
    "RNN LM": dict(passes=20, why="notes: 10 to 20 epochs, 20 in the count"),
    "AraGPT2-Mega": dict(why="tokens seen not stated", unknown_tokens=True),
    "Megatron-BERT": dict(why="tokens seen not stated", unknown_tokens=True),
    "GBERT-Large": dict(why="tokens seen not stated", unknown_tokens=True),
    "German ELECTRA Large": dict(why="tokens seen not stated", unknown_tokens=True),
    "DiffQ Transformer (16L)": dict(tokens=286e3 * 65536, why="notes: 286k steps of 65,536 tokens"),
    "DITTO": dict(tokens=160000 * 3 * 1536, passes=1, why="notes: 160,000 steps of 3 sequences of 1,536"),
    "BIG LSTM+CNN INPUTS": dict(why="the notes assume 50 epochs", unknown_tokens=True),
    "10 LSTMS + KN-5 (OPTIMAL WEIGHTS)": dict(why="tokens seen not stated", unknown_tokens=True),
    "Multi-Token Prediction 13B": dict(why="the compute is for all models of the paper", whole_paper=True),
    "GPT-4": dict(why="speculative", unknown_tokens=True),
    "CLIP (ViT L/14@336px)": dict(kind="encoder-pair", why="images and texts, not tokens"),
    "InternVL": dict(kind="multi-stage", why="stages train different parts"),
    "LLaVA": dict(base_flop=7.8e22, why="Vicuna-13B"),
    "WizardLM-7B": dict(base_flop=4.02e22, why="LLaMA-7B"),
    "U-PaLM (540B)": dict(base_flop=2.53e24, why="PaLM 540B"),
    "Flan-PaLM 540B": dict(base_flop=2.5e24, why="PaLM 540B"),
    "Taiyi-Stable Diffusion": dict(base_flop=5e22, why="Stable Diffusion"),
}

# The source is wrong by its own words: kept for the linter's tests, out of every score.
FAULTS = {
    "HGRN2 1B": "prints 6e21 for 6 x 1e9 x 100e9, which is 6e20",
    "Transformer-XL (257M)": "1,908 epochs copied from a step count",
    "SB-LM": "an n-gram table, not trained by gradients",
}

# Hours, devices or utilization that a note states otherwise than the column.
HARDWARE = {
    "AlexNet": dict(devices=2),  # "two GTX 580 3GB GPUs"
    "M6-T": dict(utilization=None), "VGG16": dict(utilization=None),
    "U-PaLM (540B)": dict(hours=None), "Flan-PaLM 540B": dict(hours=None),  # of the fine-tuning only
    "Llama 2-70B": dict(hours=None, devices=None, device_hours=1720320),
    "EXAONE Deep 32B": dict(hours=None),  # of the base model
    "SigLIP": dict(hours=None), "OpenVLA": dict(hours=None), "Refact-1.6B": dict(hours=None),  # of a part of the work: above the devices' peak
    "Xception": dict(devices=120), "JFT": dict(devices=100),  # boards of two GPUs
}

ALIASES = {
    "palm-540b": "palm", "deepseek-v3-671b": "deepseek-v3", "gpt-3-175b": "gpt-3;davinci", "bloom-176b": "bloom", "llama-1-65b": "llama-65b",
    "chinchilla": "chinchilla-70b", "gopher-280b": "gopher", "mt-nlg-530b": "mt-nlg;megatron-turing-nlg-530b", "llama-2-70b": "llama2-70b",
    "olmo-2-furious-7b": "olmo-2-7b", "olmo-2-furious-13b": "olmo-2-13b", "glm-130b": "glm",
}

PATTERSON = "Patterson et al. 2021, Carbon Emissions and Large Neural Network Training, table 4"
BROWN = "Brown et al. 2020, Language Models are Few-Shot Learners, tables 2.1, D.1; Patterson et al. 2021 (hardware)"


def run(name, title, org, date, **facts):
    return dict(name=name, title=title, organization=org, date=date, **facts)


# Runs that the database lacks, or has with fewer facts; evidence/published/runs.csv.
ROWS = [
    run("gpt-3", "GPT-3 175B", "OpenAI", "2020-05-28", kind="dense", parameters=174604259328, tokens=300e9, layers=96, hidden=12288, heads=96, vocab=50257,
        seq=2048, device="V100-SXM2-16GB", devices=10000, hours=355.2, utilization=0.1968, utilization_from="derived", flop=3.14e23, flop_from="developer",
        energy_mwh=1287, co2_t=552.1, source=BROWN, note="24.6 TFLOP/s was derived from the operation count"),
    run("deepseek-v3", "DeepSeek-V3", "DeepSeek", "2024-12-26", kind="moe", parameters=671026419200, active=37e9, tokens=14.8e12, layers=61, hidden=7168, heads=128,
        vocab=129280, seq=4096, device="H800-SXM", device_hours=2.788e6, devices=2048, format="bf16", flop=3.4078e24, flop_from="operations", usd=5.576e6,
        source="DeepSeek-V3 technical report, arXiv:2412.19437; compute from Epoch AI", note="fp8 training: utilization of the fp8 peak is half of that of bf16"),
    run("palm-540b", "PaLM 540B", "Google", "2022-04-04", kind="dense", parameters=540.35e9, tokens=780e9, layers=118, hidden=18432, heads=48, vocab=256000, seq=2048,
        device="TPU-v4", devices=6144, hours=1536, device_hours=6144 * 1200 + 3072 * 336, utilization=0.462, utilization_from="reported", flop=2.5272e24,
        flop_from="developer", source="Chowdhery et al. 2022, arXiv:2204.02311, table 20", note="1,200 h on 6,144 chips, then 336 h on 3,072"),
    run("mt-nlg-530b", "Megatron-Turing NLG 530B", "Microsoft, NVIDIA", "2021-10-11", kind="dense", parameters=530e9, tokens=270e9, layers=105, hidden=20480, heads=128,
        vocab=51200, seq=2048, device="A100-SXM-80GB", devices=4480, hours=770, utilization=0.302, utilization_from="reported", flop=8.586e23, flop_from="operations",
        source="Smith et al. 2022, arXiv:2201.11990; hours: Epoch AI; utilization: Chowdhery et al. 2022, table 3", note="270B of 339B tokens seen"),
    run("gopher-280b", "Gopher 280B", "DeepMind", "2021-12-08", kind="dense", parameters=280e9, tokens=300e9, layers=80, hidden=16384, heads=128, vocab=32000, seq=2048,
        device="TPU-v3", devices=4096, hours=920, utilization=0.325, utilization_from="reported", flop=6.31e23, flop_from="developer",
        source="Rae et al. 2021, arXiv:2112.11446, table A26; utilization: Chowdhery et al. 2022, table 3"),
    run("bloom-176b", "BLOOM 176B", "BigScience", "2022-07-06", kind="dense", parameters=176247271424, tokens=366e9, layers=70, hidden=14336, heads=112, vocab=250880,
        seq=2048, device="A100-SXM-80GB", devices=384, hours=2808, device_hours=1082880, utilization=0.50, utilization_from="reported-hfu", flop=3.65664e23, flop_from="operations",
        energy_mwh=433, co2_t=24.7, source="BigScience 2022, arXiv:2211.05100; Luccioni et al. 2022; compute from Epoch AI", note="50% counts recomputation: hardware FLOP"),
    run("llama-65b", "LLaMA 65B", "Meta", "2023-02-24", kind="dense", parameters=65285660672, tokens=1.4e12, layers=80, hidden=8192, heads=64, vocab=32000, seq=2048,
        device="A100-SXM-80GB", devices=2048, device_hours=1022362, utilization=0.4746, utilization_from="derived", flop=5.5e23, flop_from="operations", energy_mwh=449, co2_t=173,
        source="Touvron et al. 2023, arXiv:2302.13971, table 15; compute from Epoch AI"),
    run("switch-1.6t", "Switch Transformer", "Google", "2021-01-11", kind="moe", parameters=1.571e12, active=7.41e9, tokens=2e12, device="TPU-v3", devices=1024, hours=27 * 24,
        utilization=0.28, utilization_from="derived", flop=8.22e22, flop_from="developer", energy_mwh=179, co2_t=59.1, source=PATTERSON),
    run("gshard-600b", "GShard 600B", "Google", "2020-06-30", kind="moe", parameters=619e9, active=2.3e9, tokens=1e12, device="TPU-v3", devices=1024, hours=3.1 * 24,
        utilization=0.39, utilization_from="derived", flop=1.33e22, flop_from="developer", energy_mwh=24.1, co2_t=4.3, source=PATTERSON),
    run("meena", "Meena", "Google", "2020-01-27", kind="dense", parameters=2.6e9, tokens=1e13, device="TPU-v3", devices=1024, hours=30 * 24, flop=1.12e23, flop_from="developer",
        source="Adiwardana et al. 2020; Patterson et al. 2021", note="164 epochs over 61e9 tokens"),
]

# Names in evidence/published/runs.csv that are taken over as they stand (their compute, where given, is the paper's).
TAKEN = ["T5-Small", "T5-Base", "T5-Large", "BERT-Base", "RoBERTa-Base", "RoBERTa-Large", "GPT-3 Small", "GPT-3 Large", "GPT-3 13B", "LLaMA-1 7B", "LLaMA-1 13B",
         "LLaMA-1 33B", "Llama 2 7B", "Llama 2 13B", "Llama 2 34B", "Llama 3 8B", "Llama 3 70B", "Llama 3.1 8B", "Llama 3.1 70B", "Llama 4 Scout 17B-16E",
         "Llama 4 Maverick 17B-128E", "DeepSeek-V2 236B", "DeepSeek 67B", "Pythia-70M", "Pythia-160M", "Pythia-410M", "Pythia-1B", "Pythia-1.4B", "Pythia-2.8B",
         "Pythia-6.9B", "Pythia-12B", "Falcon-40B", "MPT-7B", "BloombergGPT 50B", "OLMo 2 32B"]
