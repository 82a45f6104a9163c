# The target holds a policy `remit-legacy`, and no block declares it.
