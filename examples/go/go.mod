module volt.example/run-vm

go 1.19
