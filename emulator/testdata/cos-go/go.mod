module github.com/tcred/tcred/emulator/testdata/cos-go

go 1.26

require github.com/tencentyun/qcloud-cos-sts-sdk v0.0.0-20250515025012-e0eec8a5d123
