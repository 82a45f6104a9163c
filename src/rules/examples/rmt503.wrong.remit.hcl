# The server has no audit device.
