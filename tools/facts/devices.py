"""The accelerators of the catalogue, one call a device. tools/make-hardware.py checks them against the evidence tables
and writes data/hardware/devices.csv.

Peaks are dense TFLOP/s of one device (int8, int4: TOP/s); memory in GiB (what is sold as "80 GB" holds 80 x 2^30 bytes, of which
the driver keeps about 1%); bandwidths in GB/s, links in GB/s in one
direction per device. `epoch` names the row of Epoch AI's machine-learning hardware table that gives release date and
data sheet; what differs from that table stands in `differs`, with the reason."""

DEVICES = []
MLE = "S. Bekman, Machine Learning Engineering, commit 744d01e"  # its accelerator and network tables
MLE_DATE = "2026-08-22"


def device(name, vendor, kind, *, peaks, memory=None, bandwidth=None, vector=None, up=None, out=None, tdp=None, node=0,
           aliases="", epoch=None, release=None, source="", date=None, note="", differs=""):
    DEVICES.append(dict(locals()))


NV, AMD, G, AWS = "NVIDIA", "AMD", "Google", "Amazon"
HDR, NDR, XDR = ("InfiniBand HDR", 25), ("InfiniBand NDR", 50), ("InfiniBand XDR", 100)
EDR4 = ("4x InfiniBand EDR per node", 6.25)


def up(kind, gbps, domain): return (kind, gbps, domain)


# ------------------------------------------------------------------ NVIDIA before tensor cores
device("GTX-580", NV, "gpu", epoch="NVIDIA GeForce GTX 580", peaks=dict(fp32=1.581, fp64=0.1976), memory=1.5,
       bandwidth=192.4, tdp=244, aliases="GeForce GTX 580", note="AlexNet's two cards were the 3 GB version")
device("K20X", NV, "gpu", epoch="NVIDIA Tesla K20X", peaks=dict(fp32=3.935, fp64=1.312), tdp=235, aliases="Tesla K20X;K20",
       memory=6, bandwidth=249.6, source="NVIDIA Tesla K20X board specification BD-06397-001", date="2012-11")
device("K40", NV, "gpu", epoch="NVIDIA Tesla K40s", peaks=dict(fp32=5.046, fp64=1.682), memory=12, bandwidth=288.4, tdp=245,
       aliases="Tesla K40;Tesla K40s;Tesla K40t;Tesla K40c;K40t;K40s")
device("K80", NV, "gpu", epoch="NVIDIA Tesla K80", peaks=dict(fp32=4.063, fp64=1.371), memory=12, bandwidth=240.6, tdp=150,
       aliases="Tesla K80", note="one of the two GPUs of the board, which is what clouds rent and software sees",
       differs="Epoch's row is the board of two GPUs")
device("M40", NV, "gpu", epoch="NVIDIA M40", peaks=dict(fp32=6.832, fp64=0.2135), memory=12, bandwidth=288.4, tdp=250,
       aliases="Tesla M40")
device("TITAN-X-Maxwell", NV, "gpu", epoch="NVIDIA GeForce GTX TITAN X", peaks=dict(fp32=6.691, fp64=0.2091), memory=12,
       bandwidth=336.6, tdp=250, aliases="GTX TITAN X;TITAN X")
device("GTX-1080-Ti", NV, "gpu", epoch="NVIDIA GeForce GTX 1080 Ti", peaks=dict(fp32=11.34, fp16=0.1772, fp64=0.3544),
       memory=11, bandwidth=484.4, tdp=250, aliases="GeForce GTX 1080 Ti;1080 Ti;1080Ti")
device("P40", NV, "gpu", epoch="NVIDIA P40", peaks=dict(fp32=11.76, fp16=0.1837, fp64=0.3674, int8=47), memory=24,
       bandwidth=346, tdp=250, aliases="Tesla P40", note="half precision runs at 1/64 of fp32 on this chip",
       differs="Epoch prints 694 GB/s; the data sheet says 346", source="NVIDIA Tesla P40 data sheet", date="2016-09-13")
device("P100-PCIe", NV, "gpu", epoch="NVIDIA P100 PCIe 16GB", peaks=dict(fp64=4.7, fp32=9.3, fp16=18.7), memory=16,
       bandwidth=732, tdp=250, node=4, aliases="Tesla P100 PCIe;P100 PCIe 16GB;P100-16GB",
       differs="the data sheet's boost clock gives 9.3 and 18.7, Epoch's row 9.56 and 19.1")
device("P100-SXM2", NV, "gpu", epoch="NVIDIA Tesla P100 SXM2", peaks=dict(fp64=5.304, fp32=10.61, fp16=21.22), memory=16,
       bandwidth=732, tdp=300, node=8, up=up("NVLink 1", 80, 8), out=EDR4, aliases="Tesla P100 SXM2;P100 SXM")
# ------------------------------------------------------------------ Volta, Turing
for mem, suffix in ((16, "16GB"), (32, "32GB")):
    device(f"V100-SXM2-{suffix}", NV, "gpu", epoch=f"NVIDIA Tesla V100 SXM2 {mem} GB", peaks=dict(fp64=7.834, fp32=15.67, fp16=125),
           memory=mem, bandwidth=898, tdp=300, node=8, up=up("NVLink 2", 150, 8), out=EDR4,
           aliases=f"Tesla V100 SXM2 {mem} GB;V100 SXM {suffix};V100-{suffix};Tesla V100-SXM2-{suffix}"
           + (";Tesla V100 DGXS 16 GB" if mem == 16 else ";Tesla V100 DGXS 32 GB;Tesla V100 SXM3 32 GB"))
device("V100-PCIe-16GB", NV, "gpu", epoch="NVIDIA Tesla V100 PCIe 16 GB", peaks=dict(fp64=7.066, fp32=14.13, fp16=112),
       memory=16, bandwidth=898, tdp=250, node=4, aliases="Tesla V100 PCIe 16 GB")
device("V100-PCIe-32GB", NV, "gpu", epoch="NVIDIA Tesla V100 PCIe 32 GB", peaks=dict(fp64=7.066, fp32=14.13, fp16=112),
       memory=32, bandwidth=898, tdp=250, node=4, aliases="Tesla V100 PCIe 32 GB")
device("V100S-PCIe", NV, "gpu", epoch="NVIDIA Tesla V100S PCIe 32 GB", peaks=dict(fp64=8.177, fp32=16.35, fp16=130), memory=32,
       bandwidth=1134, tdp=250, node=4, aliases="V100S")
device("TITAN-V", NV, "gpu", epoch="NVIDIA Titan V", peaks=dict(fp64=7.45, fp32=14.9, fp16=110), memory=12, bandwidth=651.3,
       tdp=250, aliases="Titan V", differs="Epoch's row lacks the tensor peak, 110 in NVIDIA's announcement",
       source="NVIDIA newsroom, TITAN V", date="2017-12-07")
device("T4", NV, "gpu", epoch="NVIDIA Tesla T4", peaks=dict(fp64=0.2544, fp32=8.1, fp16=65, int8=130, int4=260), memory=16,
       bandwidth=320, tdp=70, node=4, aliases="Tesla T4", source="NVIDIA T4 tensor core data sheet", date="2019-03")
device("RTX-2080-Ti", NV, "gpu", epoch="NVIDIA GeForce RTX 2080 Ti 11GB", peaks=dict(fp32=13.45, fp16=53.8, int8=215.2),
       memory=11, bandwidth=616, tdp=250, aliases="GeForce RTX 2080 Ti;2080 Ti;RTX 2080 Ti 11GB",
       source="NVIDIA Turing GPU architecture white paper, reference clocks", date="2018-09",
       differs="Epoch gives the Founders clock with fp16 accumulation (113.8); training accumulates in fp32, at half the rate")
# ------------------------------------------------------------------ Ampere
A100 = dict(fp64=19.5, fp32=19.5, tf32=156, fp16=312, bf16=312, int8=624, int4=1248)
A100_NOTE = "fp64 by the tensor cores (9.7 without)"
device("A100-SXM-40GB", NV, "gpu", epoch="NVIDIA A100 SXM4 40 GB", peaks=A100, memory=40, bandwidth=1555, tdp=400, node=8,
       up=up("NVLink 3", 300, 8), out=HDR, aliases="A100 SXM4 40 GB;A100-SXM4-40GB;A100-40GB", note=A100_NOTE)
device("A100-SXM-80GB", NV, "gpu", epoch="NVIDIA A100 SXM4 80 GB", peaks=A100, memory=80, bandwidth=2039, tdp=400, node=8,
       up=up("NVLink 3", 300, 8), out=HDR, aliases="A100 SXM4 80 GB;A100-SXM4-80GB;A100-80GB;A100-80GB-SXM", note=A100_NOTE)
device("A100-PCIe-40GB", NV, "gpu", epoch="NVIDIA A100 PCIe", peaks=A100, memory=40, bandwidth=1555, tdp=250, node=8,
       aliases="A100 PCIe 40 GB", note=A100_NOTE, differs="Epoch's row mixes the 80 GB card's bandwidth and power in",
       source="NVIDIA A100 data sheet", date="2020-06-22")
device("A100-PCIe-80GB", NV, "gpu", epoch="NVIDIA A100 PCIe", peaks=A100, memory=80, bandwidth=1935, tdp=300, node=8,
       aliases="A100 PCIe 80 GB;A100-80GB-PCIe", note=A100_NOTE, release="2021-06-28",
       differs="Epoch's row is the 40 GB card's", source="NVIDIA A100 data sheet", date="2021-06")
device("A800-SXM", NV, "gpu", epoch="NVIDIA A800 SXM", peaks=A100, memory=80, bandwidth=2039, tdp=400, node=8,
       up=up("NVLink 3, cut to 400 GB/s", 200, 8), out=HDR, aliases="A800;A800 SXM4;A800-SXM4-80GB", note=A100_NOTE)
device("A30", NV, "gpu", peaks=dict(fp64=10.3, fp32=10.3, tf32=82, fp16=165, bf16=165, int8=330, int4=661), memory=24,
       bandwidth=933, tdp=165, node=4, release="2021-04-12", aliases="A30 PCIe", source="NVIDIA A30 data sheet", date="2022-03")
device("A40", NV, "gpu", epoch="NVIDIA A40 PCIe", peaks=dict(fp32=37.4, tf32=74.8, fp16=149.7, bf16=149.7, int8=299.3, int4=598.7),
       memory=48, bandwidth=696, tdp=300, node=8, aliases="A40 PCIe")
device("A10", NV, "gpu", epoch="NVIDIA A10 PCIe", peaks=dict(fp32=31.2, tf32=62.5, fp16=125, bf16=125, int8=250, int4=500),
       memory=24, bandwidth=600, tdp=150, node=4, aliases="A10 PCIe", source="NVIDIA A10 data sheet", date="2021-04")
device("A10G", NV, "gpu", epoch="NVIDIA A10G", peaks=dict(fp32=31.52, tf32=35, fp16=70, bf16=70, int8=140, int4=280), memory=24,
       bandwidth=600, tdp=150, node=8, source="NVIDIA A10G data sheet as given to AWS G5 users", date="2021-11",
       note="the cloud variant of the A10 with fewer tensor FLOP/s; 985 TFLOP/s in some tables is its fp64 misread")
device("RTX-A6000", NV, "gpu", epoch="NVIDIA RTX A6000", peaks=dict(fp32=38.7, tf32=77.4, fp16=154.8, bf16=154.8, int8=309.7),
       memory=48, bandwidth=768, tdp=300, node=4, aliases="A6000", source="NVIDIA RTX A6000 data sheet", date="2020-10")
device("RTX-A5000", NV, "gpu", epoch="NVIDIA RTX A5000", peaks=dict(fp32=27.8, tf32=55.6, fp16=111.1, bf16=111.1, int8=222.2),
       memory=24, bandwidth=768, tdp=230, node=4, aliases="A5000", source="NVIDIA RTX A5000 data sheet", date="2021-04")
device("RTX-3090", NV, "gpu", epoch="NVIDIA GeForce RTX 3090", peaks=dict(fp32=35.6, tf32=35.6, fp16=71, bf16=71, int8=284, int4=568),
       memory=24, bandwidth=936, tdp=350, node=4, aliases="GeForce RTX 3090;3090", note="fp16 with fp32 accumulation (142 without)",
       source="NVIDIA Ampere GA102 GPU architecture white paper", date="2021-02")
# ------------------------------------------------------------------ Ada
device("L4", NV, "gpu", epoch="NVIDIA L4", peaks=dict(fp32=30.3, tf32=60, fp16=121, bf16=121, fp8=242.5, int8=242.5), memory=24,
       bandwidth=300, tdp=72, node=8, source="NVIDIA L4 data sheet, half of the sparse figures it prints", date="2023-03")
device("L40", NV, "gpu", epoch="NVIDIA L40", peaks=dict(fp32=90.5, tf32=90.5, fp16=181, bf16=181, fp8=362, int8=362, int4=724),
       memory=48, bandwidth=864, tdp=300, node=8)
device("L40S", NV, "gpu", peaks=dict(fp32=91.6, tf32=183, fp16=362, bf16=362, fp8=733, int8=733), memory=48, bandwidth=864,
       tdp=350, node=8, release="2023-08-08", source=MLE + " (NVIDIA L40S specifications)", date=MLE_DATE)
device("RTX-4090", NV, "gpu", epoch="NVIDIA GeForce RTX 4090", memory=24, bandwidth=1008, tdp=450, node=4,
       peaks=dict(fp32=82.6, tf32=82.6, fp16=165.2, bf16=165.2, fp8=330.3, int8=660.6, int4=1321.2),
       aliases="GeForce RTX 4090;4090", note="tensor peaks with fp32 accumulation (fp16 330.3, fp8 660.6 without)",
       source="NVIDIA Ada GPU architecture white paper v2.1, appendix A", date="2022-09",
       differs="Epoch gives fp16 accumulation (330); training accumulates in fp32, at half the rate on GeForce")
device("RTX-6000-Ada", NV, "gpu", epoch="NVIDIA RTX 6000 Ada Generation", memory=48, bandwidth=960, tdp=300, node=4,
       peaks=dict(fp32=91.1, tf32=182.1, fp16=364.2, bf16=364.2, fp8=728.5, int8=728.5), aliases="RTX 6000 Ada Generation;RTX 6000 Ada",
       source="NVIDIA RTX 6000 Ada data sheet, half of the sparse figure it prints", date="2022-12")
# ------------------------------------------------------------------ Hopper
H100 = dict(fp64=66.9, fp32=66.9, tf32=494.7, fp16=989.4, bf16=989.4, fp8=1978.9, int8=1978.9)
device("H100-SXM", NV, "gpu", epoch="NVIDIA H100 SXM5 80GB", peaks=H100, memory=80, bandwidth=3350, tdp=700, node=8,
       up=up("NVLink 4", 450, 8), out=NDR, aliases="H100 SXM5;H100 SXM5 80GB;H100-80GB;H100-SXM-80GB;H100-80GB-SXM5;H100-80GB-SXM;H100 80GB HBM3",
       note="fp64 by the tensor cores; sheets that print 1,979 (bf16) or 3,958 (fp8) count 2:4 sparsity")
device("H100-PCIe", NV, "gpu", epoch="NVIDIA H100 PCIe", peaks=dict(fp64=51, fp32=51, tf32=378, fp16=756, bf16=756, fp8=1513, int8=1513),
       memory=80, bandwidth=2039, tdp=350, node=8, up=up("NVLink 4 bridge", 300, 2), out=NDR, aliases="H100-80GB-PCIe;H100 PCIe 80GB")
device("H100-NVL", NV, "gpu", epoch="NVIDIA H100 NVL", peaks=dict(fp64=60, fp32=60, tf32=417.5, fp16=835.5, bf16=835.5, fp8=1670.5, int8=1670.5),
       memory=94, bandwidth=3938, tdp=400, node=8, up=up("NVLink 4 bridge", 300, 2), out=NDR,
       source="NVIDIA H100 data sheet, half of the sparse figures it prints", date="2024-03")
device("H800-SXM", NV, "gpu", epoch="NVIDIA H800 SXM5", peaks=dict(fp64=1, fp32=66.9, tf32=494.7, fp16=989.4, bf16=989.4, fp8=1978.9, int8=1978.9),
       memory=80, bandwidth=3350, tdp=700, node=8, up=up("NVLink 4, cut to 400 GB/s", 200, 8), out=NDR, aliases="H800;H800 SXM5;H800-80GB",
       note="the H100's tensor peaks with half its NVLink; fp64 removed")
device("H20", NV, "gpu", epoch="NVIDIA HGX H20", peaks=dict(fp64=1, fp32=44, tf32=74, fp16=148, bf16=148, fp8=296, int8=296),
       memory=96, bandwidth=4000, tdp=400, node=8, up=up("NVLink 4", 450, 8), out=NDR, aliases="HGX H20;H20-SXM;H20-96GB")
device("H200-SXM", NV, "gpu", epoch="NVIDIA H200 SXM", peaks=dict(fp64=66.9, fp32=66.9, tf32=494.5, fp16=989.5, bf16=989.5, fp8=1979, int8=1979),
       memory=141, bandwidth=4800, tdp=700, node=8, up=up("NVLink 4", 450, 8), out=NDR, aliases="H200;H200-141GB")
device("GH200", NV, "gpu", epoch="NVIDIA GH200", peaks=dict(fp64=66.9, fp32=66.9, tf32=494.5, fp16=989.5, bf16=989.5, fp8=1979, int8=1979),
       memory=96, bandwidth=4000, tdp=700, node=1, out=NDR, aliases="GH200-96GB;GH200 SXM;GH200 Grace Hopper", source=MLE + "; " + "NVIDIA GH200 data sheet",
       date=MLE_DATE, note="the GPU of one superchip, first version with 96 GB; the 144 GB version moves 4.9 TB/s")
# ------------------------------------------------------------------ Blackwell
device("B100", NV, "gpu", epoch="NVIDIA B100", peaks=dict(fp64=30, fp32=60, tf32=875, fp16=1750, bf16=1750, fp8=3500, fp6=3500, fp4=7000, nvfp4=7000, int8=3500),
       memory=192, bandwidth=8000, tdp=700, node=8, up=up("NVLink 5", 900, 8), out=NDR, aliases="B100-SXM")
device("B200-SXM", NV, "gpu", epoch="NVIDIA B200", memory=180, bandwidth=8000, tdp=1000, node=8, up=up("NVLink 5", 900, 8), out=NDR,
       peaks=dict(fp64=40, fp32=80, tf32=1125, fp16=2250, bf16=2250, fp8=4500, fp6=4500, fp4=9000, nvfp4=9000, int8=4500),
       aliases="B200;B200-SXM6;B200-180GB", source=MLE + " (DGX B200 data sheet)", date=MLE_DATE)
device("GB200", NV, "gpu", epoch="NVIDIA GB200", memory=186, bandwidth=8000, tdp=1200, node=4, up=up("NVLink 5", 900, 72), out=NDR,
       peaks=dict(fp64=45, fp32=80, tf32=1250, fp16=2500, bf16=2500, fp8=5000, fp6=5000, fp4=10000, nvfp4=10000, int8=5000),
       aliases="GB200 SXM;GB200 NVL72;GB200-NVL72", source=MLE + " (GB200 NVL72 data sheet)", date=MLE_DATE,
       note="one GPU of the superchip's two; NVIDIA's own benchmark tables count 2,450 bf16")
device("B300-SXM", NV, "gpu", epoch="NVIDIA B300 (Blackwell Ultra)", memory=288, bandwidth=8000, tdp=1000, node=8,
       peaks=dict(fp64=1.2, fp32=80, tf32=1125, fp16=2250, bf16=2250, fp8=4500, fp6=4500, fp4=12600, nvfp4=13500, int8=157.5),
       up=up("NVLink 5", 900, 8), out=XDR, aliases="B300;B300-288GB", source=MLE + "; NVIDIA dgxc-benchmarking peak table (nvfp4)", date=MLE_DATE,
       note="nvfp4 13,500 is what NVIDIA counts its own MFU against; its data sheet's rounded figure is 15,000",
       differs="ml-engineering prints fp4 12,600 and nvfp4 15,000; Epoch 14,000")
device("GB300", NV, "gpu", epoch="NVIDIA GB300 (Blackwell Ultra)", memory=288, bandwidth=8000, tdp=1400, node=4,
       peaks=dict(fp64=1.3, fp32=80, tf32=1250, fp16=2500, bf16=2500, fp8=5000, fp6=5000, fp4=15000, nvfp4=15000, int8=165),
       up=up("NVLink 5", 900, 72), out=XDR, aliases="GB300 SXM;GB300 NVL72;GB300-NVL72", source=MLE + " (GB300 NVL72 data sheet)", date=MLE_DATE,
       note="one GPU of the superchip's two; NVIDIA's own benchmark tables count 2,450 bf16 and 14,700 nvfp4")
device("RTX-5090", NV, "gpu", release="2025-01-30", peaks=dict(fp32=104.8, tf32=104.8, fp16=209.5, bf16=209.5, fp8=419, fp4=1676, nvfp4=1676, int8=838),
       memory=32, bandwidth=1792, tdp=575, node=4, aliases="GeForce RTX 5090;5090", source="NVIDIA RTX Blackwell GPU architecture white paper, appendix A",
       date="2025-01", note="tensor peaks with fp32 accumulation; the advertised 838 and 3,352 count sparsity")
device("RTX-PRO-6000", NV, "gpu", release="2025-03-18", memory=96, bandwidth=1792, tdp=600, node=8,
       peaks=dict(fp32=125, tf32=251.9, fp16=503.8, bf16=503.8, fp8=1007.6, fp4=2015, nvfp4=2015, int8=1007.6),
       aliases="RTX PRO 6000 Blackwell;RTX 6000 Pro;RTX Pro 6000", source="NVIDIA RTX PRO Blackwell GPU architecture white paper", date="2025-03",
       note="workstation edition; the server edition moves 1,597 GB/s; the advertised 4,000 counts sparsity")
# ------------------------------------------------------------------ AMD
device("MI100", AMD, "gpu", release="2020-11-16", peaks=dict(fp64=11.5, fp32=46.1, fp16=184.6, bf16=92.3, int8=184.6, int4=184.6), vector=23.1,
       memory=32, bandwidth=1229, tdp=300, node=8, up=up("Infinity Fabric", 138, 4), aliases="Instinct MI100",
       source="AMD Instinct MI100 data sheet", date="2020-11-16")
device("MI210", AMD, "gpu", release="2022-03-22", peaks=dict(fp64=45.3, fp32=45.3, fp16=181, bf16=181, int8=181, int4=181), vector=22.6,
       memory=64, bandwidth=1638, tdp=300, node=8, up=up("Infinity Fabric", 150, 4), aliases="Instinct MI210",
       source="AMD Instinct MI210 data sheet", date="2022-03-22")
device("MI250", AMD, "gpu", release="2021-11-08", peaks=dict(fp64=90.5, fp32=90.5, fp16=362.1, bf16=362.1, int8=362.1, int4=362.1), vector=45.3,
       memory=128, bandwidth=3277, tdp=500, node=4, up=up("Infinity Fabric 3", 300, 4), out=("Slingshot 11 or InfiniBand HDR", 25), aliases="Instinct MI250",
       source=MLE + "; AMD Instinct MI250 data sheet", date=MLE_DATE, note="the package of two dies; software shows each die as a device of half of this")
device("MI250X", AMD, "gpu", epoch="AMD Radeon Instinct MI250X", peaks=dict(fp64=95.7, fp32=95.7, fp16=383, bf16=383, int8=383, int4=383), vector=47.9,
       memory=128, bandwidth=3277, tdp=500, node=4, up=up("Infinity Fabric 3", 350, 4), out=("Slingshot 11", 25), aliases="Instinct MI250X",
       source=MLE + "; AMD Instinct MI250X data sheet", date=MLE_DATE, note="the package of two dies (GCDs); software shows each die as a device of half of this")
MI300 = dict(fp64=163.4, fp32=163.4, tf32=653.7, fp16=1307.4, bf16=1307.4, fp8=2614.9, int8=2614.9)
device("MI300A", AMD, "gpu", epoch="AMD Instinct MI300A", peaks=dict(fp64=122.6, fp32=122.6, tf32=490.3, fp16=980.6, bf16=980.6, fp8=1961.2, int8=1961.2),
       memory=128, bandwidth=5300, tdp=760, node=4, aliases="Instinct MI300A", up=up("Infinity Fabric 4", 384, 4))
device("MI300X", AMD, "gpu", epoch="AMD Instinct MI300X", peaks=MI300, memory=192, bandwidth=5300, tdp=750, node=8,
       up=up("Infinity Fabric 4", 448, 8), out=("400 Gb/s Ethernet or InfiniBand", 50), aliases="Instinct MI300X")
device("MI325X", AMD, "gpu", epoch="AMD Instinct MI325X", peaks=MI300, memory=256, bandwidth=6000, tdp=1000, node=8,
       up=up("Infinity Fabric 4", 448, 8), out=("400 Gb/s Ethernet or InfiniBand", 50), aliases="Instinct MI325X")
device("MI350X", AMD, "gpu", epoch="AMD Instinct MI350X", peaks=dict(fp64=72.1, fp32=144.2, fp16=2309.6, bf16=2309.6, fp8=4614, fp6=9227.5, fp4=9227.5, int8=4614),
       memory=288, bandwidth=8000, tdp=1000, node=8, up=up("Infinity Fabric 4", 537.6, 8), out=("400 Gb/s Ethernet", 50), aliases="Instinct MI350X")
device("MI355X", AMD, "gpu", epoch="AMD Instinct MI355X", peaks=dict(fp64=78.6, fp32=157.3, fp16=2516.6, bf16=2516.6, fp8=5033.2, fp6=10066.3, fp4=10066.3, int8=5033.2),
       memory=288, bandwidth=8000, tdp=1400, node=8, up=up("Infinity Fabric 4", 535.5, 8), out=("400 Gb/s Ethernet", 50), aliases="Instinct MI355X",
       differs="Epoch's fp8 4,600 is the MI350X's")
# ------------------------------------------------------------------ Google
def tpu(n, **kw): device(f"TPU-{n}", G, "tpu", **kw)


NORRIE = "T. Norrie et al., The Design Process for Google's Training Chips: TPUv2 and TPUv3, IEEE Micro 41(2), 2021"
JOUPPI = "N. Jouppi et al., TPU v4: An Optically Reconfigurable Supercomputer, ISCA 2023"
GDOC = "Google Cloud TPU documentation"
tpu("v2", epoch="Google TPU v2", peaks=dict(fp32=3, bf16=45), memory=16, bandwidth=600, tdp=280, node=4, up=up("ICI", 248, 256),
    aliases="TPU v2;TPUv2", source=NORRIE, date="2021-03", note="one chip of two cores; 180 TFLOP/s is the board of four", differs="Epoch rounds to 46")
tpu("v3", epoch="Google TPU v3", peaks=dict(bf16=123), memory=32, bandwidth=900, tdp=450, node=4, up=up("ICI", 328, 1024),
    aliases="TPU v3;TPUv3", source=NORRIE, date="2021-03", note="one chip of two cores; 420 TFLOP/s is the board of four; mean power 220 W")
tpu("v4", epoch="Google TPU v4", peaks=dict(bf16=275, int8=275), memory=32, bandwidth=1200, tdp=192, node=4, up=up("ICI", 300, 4096),
    aliases="TPU v4;TPUv4;TPU v4p", source=JOUPPI, date="2023-04", note="192 W is the highest power measured (mean 170); no TDP is published",
    differs="Epoch's 340 W is not in the paper")
tpu("v5e", epoch="Google TPU v5e", peaks=dict(bf16=197, int8=394), memory=16, bandwidth=819, node=8, up=up("ICI", 200, 256), aliases="TPU v5e;TPUv5e;TPU v5 lite",
    source=GDOC + ", TPU v5e", date="2023-08-29")
tpu("v5p", epoch="Google TPU v5p", peaks=dict(bf16=459, fp8=459, int8=918), memory=95, bandwidth=2765, tdp=540, node=4, up=up("ICI", 600, 8960),
    out=("data centre network", 6.25), aliases="TPU v5p;TPUv5p", source=GDOC + ", TPU v5p", date="2023-12-06", note="the power is Epoch's estimate")
tpu("v6e", epoch="Google TPU v6e Trillium", peaks=dict(bf16=918, fp8=918, int8=1836), memory=32, bandwidth=1640, tdp=380, node=8, up=up("ICI", 448, 256),
    aliases="TPU v6e;Trillium;TPUv6e;TPU v6e Trillium", source=GDOC + ", TPU v6e", date="2024-10-30", note="the power is Epoch's estimate")
tpu("v7", epoch="Google TPU v7 Ironwood", peaks=dict(bf16=2307, fp8=4614), memory=192, bandwidth=7370, tdp=960, node=4, up=up("ICI", 600, 9216),
    aliases="TPU v7;TPU7x;Ironwood;TPUv7;TPU v7x;TPU v7 Ironwood", source=GDOC + ", TPU7x (Ironwood)", date="2025-11-06",
    note="one chip of two dies, which JAX shows as two devices; the power is Epoch's estimate")
# ------------------------------------------------------------------ Amazon
NEURON = "AWS Neuron documentation, "
device("Trainium1", AWS, "npu", epoch="Amazon Trainium1", peaks=dict(fp32=47.5, tf32=190, fp16=190, bf16=190, fp8=190, int8=380), memory=32, bandwidth=880,
       node=16, out=("EFA, trn1.32xlarge", 6.25), aliases="Trainium;Trn1;Trainium 1", source=NEURON + "Trainium architecture", date="2025-11",
       note="32 GiB at 820 GiB/s", differs="Epoch prints the bandwidth of another unit and the older 420 int8")
device("Trainium2", AWS, "npu", epoch="Amazon Trainium2", peaks=dict(fp32=181, tf32=667, fp16=667, bf16=667, fp8=1299), memory=96, bandwidth=2900, tdp=500,
       node=16, up=up("NeuronLink 3", 640, 64), out=("EFA, trn2.48xlarge", 25), aliases="Trn2;Trainium 2", source=NEURON + "Trainium2 architecture; " + MLE, date=MLE_DATE,
       note="96 GiB; 2,563 is the sparse figure")
device("Trainium3", AWS, "npu", epoch="Amazon Trainium3", peaks=dict(fp32=183, tf32=671, fp16=671, bf16=671, fp8=2517, fp4=2517), memory=144, bandwidth=4900, tdp=700,
       node=16, up=up("NeuronLink 4", 1280, 144), aliases="Trn3;Trainium 3", source=NEURON + "Trainium3 architecture", date="2025-12-02",
       note="144 GiB; NeuronLink's 2.56 TB/s counts both directions")
# ------------------------------------------------------------------ Intel
device("Gaudi1", "Intel", "npu", epoch="Intel Habana GAUDI HL-205", peaks={}, memory=32, bandwidth=1000, tdp=300, node=8, up=up("RoCE v2, 10 x 100 Gb/s", 125, 8),
       aliases="Gaudi;HL-205;Gaudi HL-205", source="Habana Gaudi white paper", date="2019-06-18", note="Habana published no peak FLOP/s")
device("Gaudi2", "Intel", "npu", epoch="Intel Habana Gaudi2", peaks=dict(bf16=432, fp16=432, fp8=865), memory=96, bandwidth=2460, tdp=600, node=8,
       up=up("RoCE v2, 24 x 100 Gb/s", 300, 8), aliases="Gaudi 2;Habana Gaudi2", source=MLE + " (Intel Gaudi 2 white paper)", date=MLE_DATE,
       note="the 24 ports also carry the scale-out traffic", differs="Epoch's 450 is the marketing figure")
device("Gaudi3", "Intel", "npu", epoch="Intel Habana Gaudi3", peaks=dict(fp32=229, tf32=459, fp16=459, bf16=1677, fp8=1677), memory=128, bandwidth=3700, tdp=900, node=8,
       up=up("RoCE v2, 24 x 200 Gb/s", 600, 8), aliases="Gaudi 3;Habana Gaudi3", source=MLE + " (Intel Gaudi 3 white paper)", date=MLE_DATE,
       note="the 24 ports also carry the scale-out traffic; bf16 and fp8 have the same peak")
# ------------------------------------------------------------------ others
device("Kunlun-K200", "Baidu", "npu", epoch="Baidu Kunlun K200", peaks=dict(fp32=16, fp16=64, int8=256), memory=16, bandwidth=512, tdp=150, aliases="Kunlun;Kunlun I;Kunlun K200;Kunlun 1")
device("Kunlun-R200", "Baidu", "npu", epoch="Baidu Kunlun R200-8F (160W)", peaks=dict(fp32=32, fp16=128, int8=256), memory=32, bandwidth=512, tdp=160, aliases="Kunlun II;Kunlun R200;Kunlun 2")
device("Kunlun-RG800", "Baidu", "npu", epoch="Baidu Kunlun RG800", peaks=dict(fp32=32, fp16=128, int8=256), memory=32, bandwidth=512, tdp=130, aliases="Kunlun RG800")
device("Ascend-910A", "Huawei", "npu", epoch="Huawei Ascend 910A", peaks=dict(fp16=256, int8=512), memory=32, bandwidth=1288, tdp=310, node=8, up=up("HCCS", 90, 4),
       out=("RoCE 100 Gb/s", 12.5), aliases="Ascend 910;Ascend 910A;910A", note="the 320 TFLOP/s bin is sold as Premium")
for b, p, mem, bw in (("B1", 400, 64, 1600), ("B2", 376, 64, 1600), ("B3", 313, 64, 1600), ("B4", 280, 32, 800)):
    device(f"Ascend-910{b}", "Huawei", "npu", epoch=f"Huawei Ascend 910{b}" if b != "B1" else "Huawei Ascend 910B1 (v1)", peaks=dict(fp16=p, bf16=p, int8=2 * p), memory=mem, bandwidth=bw, node=8,
           up=up("HCCS", 196, 8), out=("RoCE 200 Gb/s", 25), aliases=f"Ascend 910{b};910{b}", release="2022-03-17", tdp=400,
           note="one of four bins sold as 910B; Huawei publishes no data sheet", date="2025-07",
           source="Epoch AI, Machine Learning Hardware (peaks, memory), reported by third parties")
device("Ascend-910C", "Huawei", "npu", epoch="Huawei Ascend 910C", peaks=dict(fp16=800, bf16=800, int8=1600), memory=128, bandwidth=3200, node=8, tdp=700,
       up=up("HCCS", 392, 384), out=("RoCE 400 Gb/s", 50), aliases="Ascend 910C;910C", note="a package of two 910B dies")
device("MLU370-X8", "Cambricon", "npu", epoch="Cambricon MLU370-X8", peaks=dict(fp32=24, fp16=96, bf16=96, int8=256), memory=48, bandwidth=614.4, tdp=250, node=8,
       up=up("MLU-Link", 100, 4), aliases="Cambricon MLU370-X8")
device("Dojo-D1", "Tesla", "npu", epoch="Tesla D1 Dojo", peaks=dict(fp32=22.6, bf16=362), bandwidth=None, tdp=400, aliases="D1;Tesla D1 Dojo")
device("Maia-100", "Microsoft", "npu", epoch="Maia 100 (M100)", peaks=dict(bf16=800), memory=64, bandwidth=1800, tdp=500, aliases="Maia 100;M100",
       source="Microsoft, Inside Maia 100, Hot Chips 2024", date="2024-08-27")
device("GroqChip-1", "Groq", "npu", epoch="GroqChip LPU v1", peaks=dict(fp16=188, int8=750), memory=0.2142, bandwidth=80000, tdp=215, aliases="LPU;Groq LPU;GroqChip LPU v1",
       note="on-chip memory only; built for inference")
