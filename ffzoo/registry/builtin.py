"""The core's own parts, registered through the same hooks as any plugin's."""

from __future__ import annotations

from typing import Any

from ffzoo.registry.hookspecs import Register, hookimpl

_OPT = "ffzoo.parts.options:"
_HINTON = "Hinton 2022, arXiv:2212.13345"
_KHOSLA = "Khosla et al. 2020, arXiv:2004.11362"
_SYMBA = "Lee and Song 2023, arXiv:2303.08418"


@hookimpl
def register_goodness(register: Register) -> None:
    """Register sample goodness, and the class goodness of most one-pass rules."""
    register("sum_squares", "ffzoo.parts.goodness:SumSquares", summary="sum of h^2", paper=_HINTON)
    register("mean_squares", "ffzoo.parts.goodness:MeanSquares", summary="mean of h^2", paper=_HINTON)
    register(
        "projection",
        "ffzoo.parts.projection:Projection",
        config=_OPT + "Projection",
        summary="pooled features or energies times a class matrix, over a temperature",
        paper="one formula for DTG-FF, ASGE, Mono-Forward, DeeperForward and others",
    )
    register(
        "projection_head",
        "ffzoo.parts.contrastive:ProjectionHead",
        config=_OPT + "ProjectionHead",
        summary="a learned linear embedding of pooled features",
        paper=_KHOSLA,
    )


@hookimpl
def register_local_losses(register: Register) -> None:
    """Register losses on class scores and on positive and negative sample scores."""
    register(
        "cross_entropy",
        "ffzoo.parts.losses:CrossEntropy",
        summary="-log softmax(z)_y",
    )
    register(
        "logistic",
        "ffzoo.parts.losses:Logistic",
        config=_OPT + "Logistic",
        summary="softplus(theta - G+) + softplus(G- - theta)",
        paper=_HINTON,
    )
    register(
        "npair_margin",
        "ffzoo.parts.losses:NPairMargin",
        config=_OPT + "NPairMargin",
        summary="log(1 + sum over wrong classes of exp(margin + g_k - g_y))",
        paper="Sohn 2016, NIPS",
    )
    register(
        "supcon",
        "ffzoo.parts.contrastive:SupCon",
        config=_OPT + "SupCon",
        summary="supervised contrast: samples of one class together, those of two apart",
        paper=_KHOSLA,
    )
    register(
        "symmetric_softplus",
        "ffzoo.parts.losses:SymmetricSoftplus",
        config=_OPT + "SymmetricSoftplus",
        summary="softplus(-alpha (G+ - G-))",
        paper=_SYMBA,
    )


@hookimpl
def register_fusions(register: Register) -> None:
    """Register ways to read a prediction out of the blocks."""
    register("sum", "ffzoo.parts.fusions:Sum", config=_OPT + "Sum", summary="sum over blocks")
    register("last", "ffzoo.parts.fusions:Last", summary="the last block alone")
    register(
        "best_range",
        "ffzoo.parts.fusions:BestRange",
        aliases=("sip",),
        summary="sum over the range of blocks that is best on the validation set",
        paper="DeeperForward, ICLR 2025",
    )
    register("weights", "ffzoo.parts.fusions:Weights", summary="learned convex weights, fitted on the validation set")
    register(
        "concat_linear",
        "ffzoo.parts.fusions:ConcatLinear",
        config=_OPT + "ConcatLinear",
        summary="linear softmax on concatenated pooled features",
    )
    register(
        "probe",
        "ffzoo.parts.fusions:Probe",
        config=_OPT + "Probe",
        summary="linear softmax on concatenated pooled features, fitted after training",
    )


@hookimpl
def register_negatives(register: Register) -> None:
    """Register generators of negative samples."""
    register("none", "ffzoo.parts.negatives:NoNegatives", summary="positive samples only")
    register("wrong_label", "ffzoo.parts.negatives:WrongLabel", summary="the same input, a wrong label", paper=_HINTON)
    register(
        "hard_label",
        "ffzoo.parts.negatives:HardLabel",
        summary="the same input, a wrong label that the present prediction finds likely",
        paper=_HINTON,
    )
    register(
        "hybrid_images",
        "ffzoo.parts.negatives:HybridImages",
        config=_OPT + "HybridImages",
        summary="two images mixed by a blurred random mask",
        paper=_HINTON,
    )


@hookimpl
def register_label_embeddings(register: Register) -> None:
    """Register how a candidate label enters the input."""
    register("none", "ffzoo.parts.labels:NoLabel", summary="labels do not enter the input")
    register(
        "overlay",
        "ffzoo.parts.labels:Overlay",
        config=_OPT + "Overlay",
        summary="one-hot over the first K inputs",
        paper=_HINTON,
    )
    register("concat", "ffzoo.parts.labels:Concat", config=_OPT + "Concat", summary="K further inputs or channels")
    register(
        "class_pattern",
        "ffzoo.parts.labels:ClassPattern",
        config=_OPT + "ClassPattern",
        summary="a random pattern a class, added to the input or in a further channel",
        paper=_SYMBA,
    )


@hookimpl
def register_normalizations(register: Register) -> None:
    """Register normalizations without parameters."""
    register("none", "ffzoo.parts.norms:Normalization", aliases=("identity",), summary="nothing")
    register("layernorm", "ffzoo.parts.norms:LayerNorm", summary="mean 0, variance 1 per sample, no affine")
    register("rms", "ffzoo.parts.norms:RMS", summary="mean square 1 per sample", paper=_HINTON)
    register("l2", "ffzoo.parts.norms:L2", summary="Euclidean norm 1 per sample", paper=_HINTON)
    register(
        "groupnorm",
        "ffzoo.parts.norms:GroupNorm",
        config=_OPT + "GroupNorm",
        summary="mean 0, variance 1 per sample and group of channels, no affine",
    )
    register("batchnorm", "ffzoo.parts.norms:BatchNorm", summary="mean 0, variance 1 per channel over the batch")


@hookimpl
def register_schedules(register: Register) -> None:
    """Register which blocks train when."""
    register("simultaneous", "ffzoo.parts.schedules:Simultaneous", summary="every block at every step")
    register("greedy", "ffzoo.parts.schedules:Greedy", summary="one block after the other")
    register(
        "windows",
        "ffzoo.parts.schedules:Windows",
        config=_OPT + "Windows",
        summary="all begin together and end one after the other",
        paper="CwComp, arXiv:2312.12668",
    )


@hookimpl
def register_backbones(register: Register) -> None:
    """Register native networks."""
    options = "ffzoo.backbones.options:"
    native = "ffzoo.backbones.native:"
    register("mlp", native + "MLPBackbone", config=options + "MLP", summary="fully connected ReLU blocks")
    register("cnn", native + "CNNBackbone", config=options + "CNN", summary="VGG-8-like, one 3x3 convolution a block")
    register("resnet", native + "ResNetBackbone", config=options + "ResNet", summary="small residual net for 32 px")
    register(
        "whitened_cnn",
        "ffzoo.backbones.whitened:WhitenedCNNBackbone",
        config=options + "WhitenedCNN",
        summary="whitening stem, 3x3 convolutions, batch norm and GELU: learns in few epochs",
    )


@hookimpl
def register_backbone_sources(register: Register) -> None:
    """Register models of other libraries."""
    register(
        "timm",
        "ffzoo.backbones.timm_source:timm_backbone",
        config="ffzoo.backbones.options:Timm",
        summary="timm:NAME, any timm model, unmodified, cut into blocks",
    )


@hookimpl
def register_datasets(register: Register) -> None:
    """Register data sets, with their defaults on the command line."""
    digits = {"backbone": "mlp", "fit.epochs": 40, "fit.batch_size": 32, "fit.lr": 1e-3, "fit.label_smoothing": 0.1}
    mnist = {"backbone": "mlp", "fit.epochs": 15}
    small = {"backbone": "cnn", "fit.epochs": 5}
    natural = {"backbone": "cnn", "fit.epochs": 20, "fit.augment": ("crop", "flip")}
    large = {"backbone": "timm:resnet18", "fit.epochs": 50, "fit.augment": ("crop", "flip")}

    def add(name: str, summary: str, defaults: dict[str, object], module: str = "sources", **kw: Any) -> None:
        register(name, f"ffzoo.data.{module}:{name}", summary=summary, defaults=defaults, **kw)

    add("digits", "1,797 handwritten digits, 8x8 grey, with scikit-learn: no download", digits)
    add("mnist", "70,000 handwritten digits, 28x28 grey", mnist)
    add("fashion_mnist", "70,000 pictures of clothes, 28x28 grey, 10 classes", small | {"fit.augment": ("flip",)})
    add("kmnist", "70,000 Japanese characters, 28x28 grey, 10 classes", small)
    add("svhn", "99,289 house numbers, 32x32 colour", small)
    add("cifar10", "60,000 natural images, 32x32 colour, 10 classes", natural)
    add("cifar100", "60,000 natural images, 32x32 colour, 100 classes", natural)
    add("cifar100_coarse", "the images of cifar100 with their 20 superclasses", natural)
    add("stl10", "13,000 labelled natural images, 96x96 colour, 10 classes", natural)
    add("imagenette", "13,394 images of 10 ImageNet classes, 160 px", natural, "folder_sources")
    add("tiny_imagenet", "110,000 images of 200 ImageNet classes, 64x64 colour", natural, "folder_sources")
    add("imagenet100", "the 100 ImageNet classes of Tian et al. 2020, from a local folder", large, "folder_sources")
    add(
        "teacher_student",
        "synthetic: Gaussian inputs labelled by a fixed random MLP",
        {"backbone": "mlp", "fit.epochs": 15},
        "synthetic",
        config="ffzoo.data.options:TeacherStudent",
    )


@hookimpl
def register_dataset_sources(register: Register) -> None:
    """Register sources of data from anywhere."""
    register("folder", "ffzoo.data.folder_sources:folder", summary="folder:PATH, images in one folder per class")
    register("npz", "ffzoo.data.archives:npz", summary="npz:PATH, arrays x_train, y_train, x_test, y_test")
    register("medmnist", "ffzoo.data.sources:medmnist", summary="medmnist:NAME, e.g. medmnist:pathmnist, 28x28 pixels")


@hookimpl
def register_metrics(register: Register) -> None:
    """Register what is measured of predictions besides accuracy."""
    module = "ffzoo.measure.metrics:"
    register("top5", module + "TopFive", summary="fraction of samples whose class is among the five highest scores")
    register(
        "calibration_error",
        module + "CalibrationError",
        summary="expected calibration error of softmax(scores), in 15 bins",
        paper="Guo et al. 2017, arXiv:1706.04599",
    )
    register("confusion_matrix", module + "ConfusionMatrix", summary="counts by true and predicted class")


@hookimpl
def register_observers(register: Register) -> None:
    """Register what writes to the loggers of others."""
    module = "ffzoo.run.loggers:"
    register("tensorboard", module + "TensorBoard", summary="scalars per epoch for TensorBoard")
    register("wandb", module + "WandB", summary="scalars per epoch for Weights & Biases")
