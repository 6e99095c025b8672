# Plain comments become doxygen's. The first of a file describes the file; one behind code describes what is before it.
1s|^/\* |/** @file\n * |
1!s|^( *)/\* |\1/** |
s|([;,{(] +)/\* |\1/**< |
s|^( *[A-Z][A-Z0-9_]* +)/\* |\1/**< |
# What doxygen would take for its own commands.
s|\\([a-zA-Z"])|\\\\\1|g
