"""Direct-report platform (能耗直报平台): forms NY101 and NY201 in the shapes that platforms export."""
