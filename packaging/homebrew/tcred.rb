# internal/release fills in what stands between @ signs.
class Tcred < Formula
  desc "Short-lived Tencent Cloud credentials from a key in your keychain"
  homepage "https://github.com/tcred/tcred"
  version "@VERSION@"
  license "Apache-2.0"

  on_macos do
    on_arm do
      url "https://github.com/tcred/tcred/releases/download/v@VERSION@/tcred-@VERSION@-darwin-arm64.tar.gz"
      sha256 "@SHA256_DARWIN_ARM64@"
    end
    on_intel do
      url "https://github.com/tcred/tcred/releases/download/v@VERSION@/tcred-@VERSION@-darwin-amd64.tar.gz"
      sha256 "@SHA256_DARWIN_AMD64@"
    end
  end
  on_linux do
    on_arm do
      url "https://github.com/tcred/tcred/releases/download/v@VERSION@/tcred-@VERSION@-linux-arm64.tar.gz"
      sha256 "@SHA256_LINUX_ARM64@"
    end
    on_intel do
      url "https://github.com/tcred/tcred/releases/download/v@VERSION@/tcred-@VERSION@-linux-amd64.tar.gz"
      sha256 "@SHA256_LINUX_AMD64@"
    end
  end

  def install
    bin.install "tcred", "tcred-helper"
    man1.install Dir["man/*.1"]
    man5.install Dir["man/*.5"]
    bash_completion.install "completions/tcred.bash" => "tcred", "completions/tcred-helper.bash" => "tcred-helper"
    zsh_completion.install Dir["completions/_*"]
    fish_completion.install Dir["completions/*.fish"]
    doc.install "config.example.toml", "licenses"
  end

  def caveats
    <<~EOS
      The daemon starts by itself at the first call. To have it after every login:
        tcred service install
      and before you remove tcred:
        tcred service uninstall
    EOS
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/tcred version")
    assert_match version.to_s, shell_output("#{bin}/tcred-helper --version")
    system bin/"tcred", "demo"
  end
end
