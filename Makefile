.PHONY: setup
setup: ; @echo "being built"
