"""A loop of one's own with torchmetrics: an algorithm takes its own steps."""

import torch
import torchmetrics
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

import ffzoo

x, y = (torch.as_tensor(a) for a in load_digits(return_X_y=True))
loader = DataLoader(TensorDataset(x.float() / 16, y), batch_size=64, shuffle=True)
algorithm = ffzoo.create("mono_forward", "mlp", (64,), 10)
metric = torchmetrics.Accuracy(task="multiclass", num_classes=10)

batches = ffzoo.Batches(loader)
algorithm.start(batches, epochs=3)
for _ in range(3):
    for images, labels in loader:
        losses = algorithm.train_step(images, labels)  # {"loss/1": ..., "accuracy/1": ..., ...}
algorithm.finish(batches, None)
for images, labels in loader:
    metric.update(algorithm.predict(images), labels)
accuracy = float(metric.compute())
