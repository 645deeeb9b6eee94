"""ImageNet classifiers whose weights torchvision offers for download. Importable without torch.

What stands here are facts of torchvision's own weights tables (a test compares them); the addresses stay there.
None of the weights come with the project: `manage.py download_classifier NAME` fetches them.
"""

from dataclasses import dataclass

LICENCE = "torchvision's (BSD-3-Clause); trained on ImageNet, whose terms may reach the weights"


@dataclass(frozen=True, kw_only=True)
class Offer:
    """Weights that torchvision offers, and what it publishes about them.

    `file` ends with the first eight digits of its SHA-256. Accuracies are percentages on the 50,000 validation
    images of ImageNet, one centre crop of 224 pixels, the shorter side first brought to `side`, bilinearly.
    """

    title: str
    summary: str
    architecture: str
    file: str
    megabytes: float
    parameters: int
    top_1: float
    top_5: float
    side: int = 256
    weights: str = "IMAGENET1K_V1"
    mean: tuple[float, float, float] = (0.485, 0.456, 0.406)
    std: tuple[float, float, float] = (0.229, 0.224, 0.225)

    @property
    def hash_prefix(self) -> str:
        """Return the first digits of the file's SHA-256."""
        return self.file.removesuffix(".pth").rpartition("-")[2]


# To add one, copy its line of torchvision's weights table here, in alphabetical order.
OFFERS: dict[str, Offer] = {
    "alexnet": Offer(
        title="AlexNet",
        summary="The paper's kind of network, in the one-column form of 2014.",
        architecture="alexnet",
        file="alexnet-owt-7be5be79.pth",
        megabytes=233.087,
        parameters=61_100_840,
        top_1=56.522,
        top_5=79.066,
    ),
    "convnext-tiny": Offer(
        title="ConvNeXt-Tiny",
        summary="A convolutional network rebuilt after the ways of transformers.",
        architecture="convnext_tiny",
        file="convnext_tiny-983f1562.pth",
        megabytes=109.119,
        parameters=28_589_128,
        top_1=82.52,
        top_5=96.146,
        side=236,
    ),
    "densenet-121": Offer(
        title="DenseNet-121",
        summary="In each of its blocks every layer sees what all the layers before it made.",
        architecture="densenet121",
        file="densenet121-a639ec97.pth",
        megabytes=30.845,
        parameters=7_978_856,
        top_1=74.434,
        top_5=91.972,
    ),
    "googlenet": Offer(
        title="GoogLeNet",
        summary="Convolutions of several sizes side by side, layer upon layer.",
        architecture="googlenet",
        file="googlenet-1378be20.pth",
        megabytes=49.731,
        parameters=6_624_904,
        top_1=69.778,
        top_5=89.53,
        mean=(0.5, 0.5, 0.5),  # torchvision turns its usual numbers into these inside the network
        std=(0.5, 0.5, 0.5),
    ),
    "mobilenet-v3-large": Offer(
        title="MobileNet v3 Large",
        summary="Made for telephones; its layout was found in part by search.",
        architecture="mobilenet_v3_large",
        file="mobilenet_v3_large-8738ca79.pth",
        megabytes=21.114,
        parameters=5_483_032,
        top_1=74.042,
        top_5=91.34,
    ),
    "resnet-18": Offer(
        title="ResNet-18",
        summary="Eighteen layers, with a shortcut around every two.",
        architecture="resnet18",
        file="resnet18-f37072fd.pth",
        megabytes=44.661,
        parameters=11_689_512,
        top_1=69.758,
        top_5=89.078,
    ),
    "resnet-50": Offer(
        title="ResNet-50",
        summary="Fifty layers, with a shortcut around every three.",
        architecture="resnet50",
        file="resnet50-0676ba61.pth",
        megabytes=97.781,
        parameters=25_557_032,
        top_1=76.13,
        top_5=92.862,
    ),
    "squeezenet-1-1": Offer(
        title="SqueezeNet 1.1",
        summary="About as accurate as AlexNet with a fiftieth of its weights.",
        architecture="squeezenet1_1",
        file="squeezenet1_1-b8a52dc0.pth",
        megabytes=4.729,
        parameters=1_235_496,
        top_1=58.178,
        top_5=80.624,
    ),
    "vgg-16": Offer(
        title="VGG-16",
        summary="Sixteen layers of small convolutions, and by far the most weights of all here.",
        architecture="vgg16",
        file="vgg16-397923af.pth",
        megabytes=527.796,
        parameters=138_357_544,
        top_1=71.592,
        top_5=90.382,
    ),
    "vit-b-16": Offer(
        title="ViT-B/16",
        summary="A transformer that reads an image as 196 patches of 16 x 16 pixels.",
        architecture="vit_b_16",
        file="vit_b_16-c867db91.pth",
        megabytes=330.285,
        parameters=86_567_656,
        top_1=81.072,
        top_5=95.318,
    ),
}
