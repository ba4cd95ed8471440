"""Writes scikit-learn's handwritten digits as a data set that Kindling reads.

    pip install numpy scikit-learn
    python crates/datasets/digits/digits.py digits

writes `digits/digits.npz`. The 1,797 images have 8x8 pixels (E. Alpaydin and C. Kaynak, "Optical
Recognition of Handwritten Digits", UCI Machine Learning Repository 1998, CC BY 4.0; scikit-learn has
its test images). The first 1,500 are for training and the last 297 for testing. They stay in their
order, in which the images of one writer stand together, so few writers are in both parts.
"""

import sys
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits

TRAIN = 1500


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: python digits.py DIR\nwrites DIR/digits.npz")
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    images, labels = load_digits(return_X_y=True)
    # Pixels are whole numbers from 0 to 16. Those of Kindling are bytes.
    images = np.round(images.reshape(-1, 8, 8) * (255 / 16)).astype(np.uint8)
    labels = labels.astype(np.uint8)
    path = folder / "digits.npz"
    np.savez_compressed(
        path,
        x_train=images[:TRAIN],
        y_train=labels[:TRAIN],
        x_test=images[TRAIN:],
        y_test=labels[TRAIN:],
    )
    print(f"{path}: {TRAIN} images to train, {len(images) - TRAIN} to test")


main()
