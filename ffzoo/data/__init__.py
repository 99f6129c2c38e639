"""Data sets: options (torch-free), sources, the bundle a run trains on, and batchwise augmentation."""
