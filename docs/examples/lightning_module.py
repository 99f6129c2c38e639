"""A local rule in PyTorch Lightning: every block has its own optimizer, so optimization is manual."""

import pytorch_lightning as pl
import torch
from sklearn.datasets import load_digits
from torch.utils.data import DataLoader, TensorDataset

import ffzoo


class LocalLearning(pl.LightningModule):
    def __init__(self, algorithm):
        super().__init__()
        self.algorithm, self.automatic_optimization = algorithm, False

    def on_train_start(self):
        self.batches = ffzoo.Batches(self.trainer.train_dataloader, self.device)
        self.algorithm.start(self.batches, self.trainer.max_epochs)

    def training_step(self, batch, _):
        self.log_dict(self.algorithm.train_step(*batch))

    def on_train_end(self):
        self.algorithm.finish(self.batches, None)

    def configure_optimizers(self):
        return None


x, y = (torch.as_tensor(a) for a in load_digits(return_X_y=True))
loader = DataLoader(TensorDataset(x.float() / 16, y), batch_size=64, shuffle=True)
algorithm = ffzoo.create("mono_forward", "mlp", (64,), 10)
trainer = pl.Trainer(max_epochs=3, logger=False, enable_checkpointing=False, enable_progress_bar=False)
trainer.fit(LocalLearning(algorithm), loader)
accuracy = float((algorithm.predict(x.float() / 16).argmax(1) == y).float().mean())
