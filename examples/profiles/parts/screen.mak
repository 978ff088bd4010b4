# display and usb: graphics devices, a USB controller, and what is on it.

# video "virtio", and "std"; "ramfb" is part of the machines that have it
CONFIG_VIRTIO_GPU=y
CONFIG_VGA_PCI=y
# usb: the controller; the tablet and the keyboard come with it
CONFIG_USB_XHCI_PCI=y
# disks[].bus "usb"; CD-ROM drives are a SCSI drive on usb-bot
CONFIG_USB_STORAGE_CLASSIC=y
CONFIG_USB_STORAGE_BOT=y
