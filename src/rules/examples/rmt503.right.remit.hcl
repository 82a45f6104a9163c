# The server's own configuration has an audit device:
#
#     audit "file" "file" {
#       options {
#         file_path = "/var/log/openbao/audit.log"
#       }
#     }
