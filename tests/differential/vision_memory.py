#!/usr/bin/env python3
"""What PyTorch's autograd keeps of one image for the backward pass of torchvision's networks, by storage.

usage: tests/differential/vision_memory.py > tests/differential/vision_memory.csv (`make oracles`)

Every tensor that autograd saves is seen by a hook; a storage counts once, weights and running statistics not at all.
Training mode, fp32; dropout and stochastic depth keep nothing here (their rate is 0).
"""
import sys

import torch
import torchvision

BATCH = 2
NAMES = """alexnet convnext_base convnext_large convnext_small convnext_tiny densenet121 densenet161 densenet169 densenet201
efficientnet_b0 efficientnet_b1 efficientnet_b2 efficientnet_b3 efficientnet_b4 efficientnet_v2_s googlenet mnasnet0_5
mnasnet1_0 mobilenet_v2 mobilenet_v3_large mobilenet_v3_small regnet_x_16gf regnet_x_3_2gf regnet_x_400mf regnet_y_1_6gf
regnet_y_400mf regnet_y_8gf resnet101 resnet152 resnet18 resnet34 resnet50 resnext101_32x8d resnext50_32x4d
shufflenet_v2_x0_5 shufflenet_v2_x1_0 shufflenet_v2_x2_0 squeezenet1_0 squeezenet1_1 swin_b swin_t swin_v2_t vgg11 vgg11_bn
vgg16 vgg16_bn vgg19 vit_b_16 vit_b_32 vit_l_32 wide_resnet50_2""".split()
SIZES = {"efficientnet_b1": 240, "efficientnet_b2": 288, "efficientnet_b3": 300, "efficientnet_b4": 380,
         "efficientnet_v2_s": 384, "swin_v2_t": 256}


def kept_bytes(name):
    extra = {"aux_logits": False, "init_weights": False} if name == "googlenet" else {}
    model = getattr(torchvision.models, name)(weights=None, **extra).train()
    for module in model.modules():
        if isinstance(module, (torch.nn.Dropout, torchvision.ops.StochasticDepth)):
            module.p = 0.0
    held = {t.storage().data_ptr() for t in [*model.parameters(), *model.buffers()]}
    seen = {}

    def see(tensor):
        storage = tensor.storage()
        if storage.data_ptr() not in held:
            seen[storage.data_ptr()] = tensor  # held on to, so that no other gets its address
        return tensor

    side = SIZES.get(name, 224)
    with torch.autograd.graph.saved_tensors_hooks(see, lambda tensor: tensor):
        model(torch.zeros(BATCH, 3, side, side))
    whole = [tensor.storage().nbytes() for tensor in seen.values()]
    indices = [tensor.storage().nbytes() for tensor in seen.values() if not tensor.is_floating_point()]
    return sum(whole) / BATCH, sum(indices) / BATCH


def main():
    print(f"# Bytes that autograd keeps of one image in fp32; torch {torch.__version__}, torchvision {torchvision.__version__}")
    print("# (tests/differential/vision_memory.py); index_bytes: of these, positions of maxima and the like\nmodel,image,kept_bytes,index_bytes")
    for name in NAMES:
        whole, indices = kept_bytes(name)
        print(f"{name},{SIZES.get(name, 224)},{whole:.0f},{indices:.0f}", flush=True)
        print(name, file=sys.stderr)


if __name__ == "__main__":
    main()
