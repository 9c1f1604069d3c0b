"""Small models built as those of the field are, with their layouts of axes."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional


class Permute(nn.Module):
    def __init__(self, *axes):
        super().__init__()
        self.axes = axes

    def forward(self, x):
        return x.permute(self.axes)


class StochasticDepth(nn.Module):
    """Of a module of its own without parameters: in inference it changes nothing."""

    def forward(self, x):
        return x * 1.0


class LayerNorm2d(nn.LayerNorm):
    """A LayerNorm whose channels are on axis 1."""

    def forward(self, x):
        return super().forward(x.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class ConvNeXtBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.block = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, groups=channels),
            Permute(0, 2, 3, 1),
            nn.LayerNorm(channels),
            nn.Linear(channels, 4 * channels),
            nn.GELU(),
            nn.Linear(4 * channels, channels),
            Permute(0, 3, 1, 2),
        )
        self.layer_scale = nn.Parameter(torch.ones(channels, 1, 1))
        self.stochastic_depth = StochasticDepth()

    def forward(self, x):
        return x + self.stochastic_depth(self.layer_scale * self.block(x))


class ConvNeXt(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Sequential(nn.Conv2d(3, 12, 2, stride=2), LayerNorm2d(12)),
            nn.Sequential(ConvNeXtBlock(12), ConvNeXtBlock(12)),
            nn.Sequential(LayerNorm2d(12), nn.Conv2d(12, 20, 2, stride=2)),
        )
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(LayerNorm2d(20), nn.Flatten(1), nn.Linear(20, 4))

    def forward(self, x):
        return self.classifier(self.avgpool(self.features(x)))


class SwinBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.qkv, self.proj = nn.Linear(channels, 3 * channels), nn.Linear(channels, channels)
        self.stochastic_depth = StochasticDepth()
        self.mlp = nn.Sequential(nn.Linear(channels, 2 * channels), nn.GELU(), nn.Linear(2 * channels, channels))

    def attend(self, x):
        q, k, v = self.qkv(x).flatten(1, 2).chunk(3, -1)
        return self.proj(functional.scaled_dot_product_attention(q, k, v).reshape(x.shape))

    def forward(self, x):
        x = x + self.stochastic_depth(self.attend(self.norm1(x)))
        return x + self.stochastic_depth(self.mlp(self.norm2(x)))


class PatchMerging(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm, self.reduction = nn.LayerNorm(4 * channels), nn.Linear(4 * channels, 2 * channels, bias=False)

    def forward(self, x):
        parts = [x[:, i::2, j::2] for i in (0, 1) for j in (0, 1)]
        return self.reduction(self.norm(torch.cat(parts, -1)))


class Swin(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Sequential(nn.Conv2d(3, 12, 2, stride=2), Permute(0, 2, 3, 1), nn.LayerNorm(12)),
            nn.Sequential(SwinBlock(12), SwinBlock(12)),
            PatchMerging(12),
            nn.Sequential(SwinBlock(24)),
        )
        self.norm = nn.LayerNorm(24)
        self.permute = Permute(0, 3, 1, 2)
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.head = nn.Linear(24, 4)

    def forward(self, x):
        return self.head(self.avgpool(self.permute(self.norm(self.features(x)))).flatten(1))


class Attention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.attention = nn.MultiheadAttention(channels, 2, batch_first=True)
        self.drop = nn.Dropout(0.1)

    def forward(self, x):
        return self.drop(self.attention(x, x, x)[0])


class ViTBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(channels), nn.LayerNorm(channels)
        self.attention = Attention(channels)
        self.mlp = nn.Sequential(nn.Linear(channels, 2 * channels), nn.GELU(), nn.Linear(2 * channels, channels))

    def forward(self, x):
        x = x + self.attention(self.ln_1(x))
        return x + self.mlp(self.ln_2(x))


class PatchEmbedding(nn.Module):
    """Pictures to tokens, with the identity for a norm as libraries have it."""

    def __init__(self, channels):
        super().__init__()
        self.proj = nn.Conv2d(3, channels, 2, stride=2)
        self.norm = nn.Identity()

    def forward(self, x):
        return self.norm(self.proj(x).flatten(2).transpose(1, 2))


class ViT(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch_embed = PatchEmbedding(12)
        self.cls = nn.Parameter(torch.ones(1, 1, 12))
        self.drop = nn.Dropout(0.1)
        self.blocks = nn.ModuleList([ViTBlock(12), ViTBlock(12)])
        self.norm = nn.LayerNorm(12)
        self.head = nn.Linear(12, 4)

    def forward(self, x):
        x = self.patch_embed(x)
        x = self.drop(torch.cat([self.cls.expand(len(x), -1, -1), x], 1))
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x)[:, 0])


class SqueezeExcitation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.avgpool = nn.AdaptiveAvgPool2d(1)
        self.fc1, self.fc2 = nn.Linear(channels, 4), nn.Linear(4, channels)

    def forward(self, x):
        scale = self.fc2(torch.relu(self.fc1(self.avgpool(x).flatten(1))))
        return x * torch.sigmoid(scale)[..., None, None]


class DenseBlock(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(5, 6, 3, padding=1), nn.Conv2d(11, 6, 3, padding=1)

    def forward(self, x):
        x = torch.cat([x, functional.relu(self.conv1(x))], 1)
        return torch.cat([x, functional.relu(self.conv2(x))], 1)


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 5, 3, padding=1), nn.BatchNorm2d(5), nn.ReLU(inplace=True))
        self.dense = DenseBlock()
        self.squeeze = SqueezeExcitation(17)
        self.pool = nn.MaxPool2d(2)
        self.dropout = nn.Dropout2d(0.1)
        self.norm = nn.GroupNorm(1, 17)
        self.act = nn.PReLU(17)
        self.up = nn.ConvTranspose2d(17, 9, 2, stride=2)
        self.shuffle = nn.PixelShuffle(3)

    def forward(self, x):
        x = self.dropout(functional.relu(self.pool(self.squeeze(self.dense(self.stem(x))))))
        return self.shuffle(self.up(self.act(self.norm(x)))).mean((2, 3))


class TextCNN(nn.Module):
    """Words first as (instances, steps, channels), then as (instances, channels, steps)."""

    def __init__(self):
        super().__init__()
        self.embedding = nn.Embedding(50, 7)
        self.embedding_dropout = nn.Dropout(0.1)
        self.conv = nn.Conv1d(7, 6, 3)
        self.norm = nn.BatchNorm1d(6)
        self.act = nn.ReLU()
        self.pool = nn.AdaptiveMaxPool1d(4)
        self.back = Permute(0, 2, 1)
        self.rnn = nn.GRU(6, 8, bidirectional=True, batch_first=True)
        self.rnn_dropout = nn.Dropout(0.1)
        self.head = nn.Linear(16, 4)

    def forward(self, words):
        x = self.embedding_dropout(self.embedding(words)).transpose(1, 2)
        x = self.pool(self.act(self.norm(self.conv(x))))
        return self.head(self.rnn_dropout(self.rnn(self.back(x))[0])[:, -1])


class RMSNorm(nn.Module):
    """Of its own making: one weight per channel."""

    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, x):
        return self.weight * x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6)


class Conv1D(nn.Module):
    """A Linear of its own making, with its weight the other way round."""

    def __init__(self, outputs, inputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(inputs, outputs) / inputs)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x):
        return x @ self.weight + self.bias


class DecoderBlock(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.norm = RMSNorm(channels)
        self.c_fc, self.c_proj = Conv1D(3 * channels, channels), Conv1D(channels, 3 * channels)
        self.act = nn.SiLU()

    def forward(self, x, attention_mask=None):
        return (x + self.c_proj(self.act(self.c_fc(self.norm(x)))),)


@dataclass
class ModelOutput:
    last_hidden_state: torch.Tensor
    hidden_states: tuple


class Decoder(nn.Module):
    """Returns a dataclass, as libraries of language models do."""

    def __init__(self):
        super().__init__()
        self.wte = nn.Embedding(50, 8)
        self.h = nn.ModuleList([DecoderBlock(8), DecoderBlock(8)])
        self.ln_f = RMSNorm(8)

    def forward(self, words, attention_mask=None):
        x = self.wte(words)
        states = [x]
        for block in self.h:
            (x,) = block(x, attention_mask=attention_mask)
            states.append(x)
        return ModelOutput(self.ln_f(x), tuple(states))


class LanguageModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.transformer = Decoder()
        self.score = nn.Linear(8, 4)

    def forward(self, words, attention_mask=None):
        return self.score(self.transformer(words, attention_mask=attention_mask).last_hidden_state[:, -1])


class StepsFirst(nn.Module):
    """A transformer and a recurrent layer with the steps before the instances, as is PyTorch's default."""

    def __init__(self):
        super().__init__()
        layer = nn.TransformerEncoderLayer(8, 2, 16)
        self.encoder = nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)
        self.lstm = nn.LSTM(8, 5, proj_size=3)
        self.dropout = nn.Dropout(0.1)
        self.fc = nn.Linear(3, 4)

    def forward(self, x):
        x = self.encoder(x.transpose(0, 1))
        return self.fc(self.dropout(self.lstm(x)[0]))[-1]
