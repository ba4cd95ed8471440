#!/bin/sh
# This script stands in for kindling in tests. mod.rs in this folder explains its variables.
set -eu
# What the images are. Those of another folder are no different.
INFO='{"shape":[1,28,28],"classes":["0","1","2","3","4","5","6","7","8","9"],"train":60000,"validation":0,"test":10000}'
if [ "$1" = data ]; then
    if [ -n "${FAKE_DATA:-}" ]; then
        echo "error: $FAKE_DATA" >&2
        exit 2
    fi
    # The fingerprint of a data folder is the text of its file `content`, or `fake` without it.
    fingerprint=fake
    if [ -e "${3:-/none}/content" ]; then fingerprint=$(cat "$3/content"); fi
    echo "{\"fingerprint\":\"$fingerprint\",\"info\":$INFO}"
    exit 0
fi
if [ "$1" = open ]; then
    if [ -n "${FAKE_GPU:-}" ]; then exit 0; fi
    echo "error: no GPU for $2" >&2
    exit 2
fi
if [ "$1" = devices ]; then
    echo '[{"device":"flex","name":"a processor","product":212.4,"latency":1.25}]'
    exit 0
fi
if [ "$1" = parity ]; then
    echo "$3 $4 $6 ${7:-}" >> "$FAKE_LOG"
    for step in ${FAKE_STEPS-$(seq "$6")}; do
        gap=1e-6
        if [ $step = "${FAKE_PART:-none}" ]; then gap=0.5; fi
        echo "{\"step\":$step,\"losses\":[1.0,1.00001],\"layers\":[{\"name\":\"output.weight\",\"gradient\":$gap,\"weights\":1e-6}]}"
    done
    if [ -n "${FAKE_FAIL:-}" ]; then echo "error: out of memory" >&2; exit 1; fi
    exit 0
fi
folder=$2
value() { sed -n "s/^$1 = \"\{0,1\}\([^\"]*\)\"\{0,1\}\$/\1/p" "$folder/config.toml" | head -n 1; }
cell=$(value cell) seed=$(value seed) family=$(value family)
echo "$cell $seed" >> "$FAKE_LOG"
echo "a line that is not progress"
echo '{"epoch":1,"epochs":2,"fraction":0.5,"train_loss":0.1,"evaluated_loss":0.2,"evaluated_accuracy":0.9}'
if [ -n "${FAKE_HOLD:-}" ]; then
    while [ ! -e "$FAKE_HOLD" ]; do sleep 0.02; done
fi
if [ -n "${FAKE_STOP:-}" ]; then
    # The epoch lasts until the file exists.
    read -r word || exit 130
    while [ ! -e "$FAKE_STOP" ]; do sleep 0.02; done
    [ "$word" = stop ] && exit 130
fi
case "$cell $seed" in
    ${FAKE_FAIL:-none})
        echo "warming up" >&2
        echo "error: the loss is NaN in epoch 1, batch 3" >&2
        exit 1
        ;;
    ${FAKE_KILL:-none}) kill -9 $$ ;;
esac
status=complete error=null
case "$cell $seed" in
    ${FAKE_DIVERGE:-none}) status=diverged error='"the loss is NaN in epoch 1, batch 3"' ;;
esac
data=fake
dir=$(value dir)
if [ -e "${dir:-/none}/content" ]; then data=$(cat "$dir/content"); fi
info=$INFO
case $family in gradients | regression) data=generated info=null ;; esac
if [ $status = diverged ]; then data= info=null; fi
# As RunConfig::hash, this leaves out the keys that do not change a training.
sha() { if command -v sha256sum > /dev/null; then sha256sum; else shasum -a 256; fi; }
hash=$(sed -e 's/^\(about\|section\) = .*/\1 = ""/' -e '/^dir = /d' "$folder/config.toml" | sha |
    cut -d ' ' -f 1)
# A trial is evaluated on the validation images, and writes no files about test images.
split=test
if grep -q '^validation = ' "$folder/config.toml"; then split=validation; fi
cat > "$folder/history.csv" << CSV
epoch,learning_rate,train_loss,${split}_loss,train_accuracy,${split}_accuracy
1,0.1,0.2,0.25,0.9,0.91
2,0.1,0.1,0.15,0.95,0.92
CSV
accuracy=0.92 loss=0.15
if [ "$cell" = "${FAKE_SPREAD:-none}" ]; then loss=0.15$seed; fi
if [ "$(value backend)" = "${FAKE_WORSE:-none}" ]; then accuracy=0.90; fi
if scores=$(grep "^$cell $seed " "${FAKE_SCORES:-/dev/null}"); then
    accuracy=$(echo "$scores" | cut -d ' ' -f 3) loss=$(echo "$scores" | cut -d ' ' -f 4)
fi
# The files of each family, as in Task::files.
tests=
case $family in
    gradients) files="activations.csv gradients.csv line.csv" ;;
    regression) files="history.csv model.bpk weights.safetensors" tests="predictions.csv" ;;
    classifier) files="history.csv timing.csv model.bpk weights.safetensors" tests="confusion.csv mistakes.csv logits.csv test.safetensors" ;;
    autoencoder) files="history.csv timing.csv model.bpk weights.safetensors" tests="codes.csv reconstructions.csv test.safetensors" ;;
    pca) files="components.csv" tests="codes.csv reconstructions.csv test.safetensors" ;;
esac
if [ $split = test ]; then files="$files $tests"; fi
# test.safetensors: 100 test images with equal losses, of which the last ones are labelled wrongly.
repeated() { # the byte of the octal number $2, $1 times
    if [ "$1" -gt 0 ]; then printf "%0${1}d" 0 | tr 0 "\\$2"; fi
}
float() { # the bytes of a number above 0 as a 32-bit float, as escapes for printf
    awk -v x="$1" 'BEGIN {
        while (x >= 2) { x /= 2; e++ }
        while (x < 1) { x *= 2; e-- }
        b = (e + 127) * 8388608 + int((x - 1) * 8388608 + 0.5)
        for (i = 0; i < 4; i++) { printf "\\%03o", b % 256; b = int(b / 256) }
    }'
}
tensor() { echo "\"$1\":{\"dtype\":\"$2\",\"shape\":[100],\"data_offsets\":[$3,$4]}"; }
case "$files" in
    *test.safetensors*)
        if [ $family = classifier ]; then
            header="{$(tensor label U8 0 100),$(tensor prediction U8 100 200),$(tensor loss F32 200 600)}"
        else
            header="{$(tensor error F32 0 400)}"
        fi
        right=$(awk -v x="$accuracy" 'BEGIN { printf "%d", 100 * x + 0.5 }')
        loss_bytes=$(float "$loss")
        {
            printf "\\$(printf %03o ${#header})"
            repeated 7 000
            printf %s "$header"
            if [ $family = classifier ]; then
                repeated $((100 + right)) 000
                repeated $((100 - right)) 001
            fi
            i=0
            while [ $i -lt 100 ]; do
                printf "$loss_bytes"
                i=$((i + 1))
            done
        } > "$folder/test.safetensors"
        ;;
esac
digests=
for file in config.toml $files; do
    [ -e "$folder/$file" ] || : > "$folder/$file"
    digests="$digests${digests:+,}\"$file\":\"$(sha < "$folder/$file" | cut -d ' ' -f 1)\""
done
cat > "$folder/record.json" << JSON
{"version":"$FAKE_VERSION","section":"$(value section)","cell":"$cell","family":"$family","backend":"$(value backend)",
"seed":$seed,"epochs":2,"parameters":10,"train_loss":0.1,"${split}_loss":$loss,
"train_accuracy":0.95,"${split}_accuracy":$accuracy,"seconds":${FAKE_SECONDS:-1.5},"status":"$status","error":$error,
"metrics":{},"config_hash":"$hash","data_fingerprint":"$data","data":$info,"program":"${FAKE_PROGRAM:-fake}",
"revision":"$KINDLING_REVISION","burn_version":"0.22.1","files":{$digests},
"host":{"platform":"p","cpu":"c","cores":2,"threads":$RAYON_NUM_THREADS}}
JSON
if [ $status = diverged ]; then
    echo "error: the loss is NaN in epoch 1, batch 3" >&2
    exit 1
fi
