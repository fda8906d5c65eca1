/** How each shell asks `tscompose __complete`, and offers what it answers. */
export const completionScripts = {
  bash: `# Completion of tscompose for bash. For this shell:  source <(tscompose completion bash)
_tscompose() {
  local words=() part last= index kind= word about prefix
  # To bash "=" and ":" are words of their own; to tscompose they are not.
  for ((index = 1; index <= COMP_CWORD; index++)); do
    part=\${COMP_WORDS[index]}
    if [[ \${#words[@]} -gt 0 && ($part == [=:] || $last == [=:]) ]]; then words[-1]+=$part; else words+=("$part"); fi
    last=$part
  done
  prefix=\${words[-1]%"$2"}
  COMPREPLY=()
  while IFS=$'\\t' read -r word about; do
    if [[ -z $kind ]]; then kind=$word; else COMPREPLY+=("\${word#"$prefix"}"); fi
  done < <(tscompose __complete "\${words[@]}" 2>/dev/null)
  case $kind in
    files) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -f -- "$2") ;;
    directories) compopt -o filenames; mapfile -t COMPREPLY < <(compgen -d -- "$2") ;;
    nospace) compopt -o nospace ;;
  esac
}
complete -F _tscompose tscompose
`,
  zsh: `#compdef tscompose
# Completion of tscompose for zsh. For this shell:  source <(tscompose completion zsh)
_tscompose() {
  local -a lines described
  local line
  lines=("\${(@f)$(tscompose __complete "\${(@Q)words[2,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null)}")
  for line in "\${(@)lines[2,-1]}"; do
    described+=("\${\${line%%$'\\t'*}//:/\\\\:}:\${line#*$'\\t'}")
  done
  case $lines[1] in
    files) compset -P '--*='; _files ;;
    directories) compset -P '--*='; _files -/ ;;
    nospace) _describe -t words tscompose described -S '' ;;
    *) _describe -t words tscompose described ;;
  esac
}
if [[ $funcstack[1] == _tscompose ]]; then
  _tscompose "$@"
else
  (( $+functions[compdef] )) || { autoload -Uz compinit; compinit; }
  compdef _tscompose tscompose
fi
`,
  fish: `# Completion of tscompose for fish. For this shell:  tscompose completion fish | source
function __tscompose_complete
    set -l words (commandline -opc)
    set -e words[1]
    set -l current (commandline -ct)
    set -l lines (tscompose __complete $words "$current" 2>/dev/null)
    set -l before (string match -r -- '^--[^=]*=' "$current")
    set -l value (string replace -- "$before" '' "$current")
    switch "$lines[1]"
        case files
            printf '%s\\n' "$before"(__fish_complete_path "$value")
        case directories
            printf '%s\\n' "$before"(__fish_complete_directories "$value" '')
        case '*'
            printf '%s\\n' $lines[2..]
    end
end
complete -c tscompose -f -a '(__tscompose_complete)'
`,
} as const;
